"""Where the device's key lives: a file of the signer's own, a token (PKCS#11), or sealed by the machine's TPM."""
