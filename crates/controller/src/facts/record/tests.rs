//! What becomes of lines.
