//! Asks for features of the library, and of what its examples use, that no program of the workspace has: so that the
//! tests of the whole workspace are theirs too.
