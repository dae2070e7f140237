//! The ТЖС track of the Angarsk order (S4).
