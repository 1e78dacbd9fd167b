#include "_cgo_export.h"

int each(int n) { return 2 * next(n); }
