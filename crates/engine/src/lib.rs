//! What is to be done next, for which object, when.
