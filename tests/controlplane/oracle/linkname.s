// An assembly file lets the compiler accept the functions without bodies in upstream.go.
