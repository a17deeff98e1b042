//! A CSV file with named columns.
