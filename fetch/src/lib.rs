//! Where modules come from, and the proof that they are genuine: GOPROXY chains and checksum databases.
