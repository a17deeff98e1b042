//! The attacks, one a file. An attack only proposes inputs: the laboratory projects each proposal onto the threat
//! model and evaluates it again before it counts.

pub mod image;
pub mod joint;
pub mod text;
