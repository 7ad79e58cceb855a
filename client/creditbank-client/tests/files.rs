//! How files become lines of text: cases that registrars had, and more of their kinds.

#[path = "files/book.rs"]
mod book;
#[path = "files/cases.rs"]
mod cases;
#[path = "files/memory.rs"]
mod memory;
#[path = "files/read.rs"]
mod read;
#[path = "files/sheets.rs"]
mod sheets;
#[path = "files/text.rs"]
mod text;
