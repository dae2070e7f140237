//! The production calendar: which days a performer works, and why it does not work the others.
