#ifdef __cplusplus
extern "C" {
#endif
int length(int n);
#ifdef __cplusplus
}
#endif
