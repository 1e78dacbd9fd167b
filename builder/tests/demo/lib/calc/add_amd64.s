#include "textflag.h"
#include "go_asm.h"

TEXT ·Add(SB), NOSPLIT, $0-24
	MOVQ a+0(FP), AX
	ADDQ b+8(FP), AX
	MOVQ $const_Limit, BX
	MOVQ $pair_b, CX
	MOVQ AX, ret+16(FP)
	RET
