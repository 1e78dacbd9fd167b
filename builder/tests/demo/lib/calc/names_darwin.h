#define NAMED_darwin 1
