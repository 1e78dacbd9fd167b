#include <string>

#include "plus.h"

int length(int n) { return static_cast<int>(std::string(static_cast<size_t>(n), 'x').size()); }
