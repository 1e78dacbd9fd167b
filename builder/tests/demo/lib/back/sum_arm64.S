	.text
	.globl sum
sum:
	add w0, w0, w1
	ret
	.section .note.GNU-stack,"",@progbits
