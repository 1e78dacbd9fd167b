#define NAMED_windows 1
