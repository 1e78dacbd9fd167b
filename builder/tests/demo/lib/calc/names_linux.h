#define NAMED_linux 1
