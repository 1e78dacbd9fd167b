#define NAMED_freebsd 1
