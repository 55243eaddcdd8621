//! AWS KMS: keys and aliases.

include!(concat!(env!("OUT_DIR"), "/kms.rs"));
