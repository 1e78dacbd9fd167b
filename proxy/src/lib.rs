//! The service: the GOPROXY protocol, the mirror behind it, metrics.
