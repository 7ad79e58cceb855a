//! A file that is read more than once.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle on a file for one reading after the other.
pub(crate) struct Again<R>(Arc<Mutex<R>>);

impl<R: Seek> Again<R> {
    pub(crate) fn new(input: R) -> Self {
        Self(Arc::new(Mutex::new(input)))
    }

    /// The file from its beginning. The readings before are over.
    pub(crate) fn again(&self) -> io::Result<Self> {
        self.lock().seek(SeekFrom::Start(0))?;
        Ok(Self(Arc::clone(&self.0)))
    }
}

impl<R> Again<R> {
    fn lock(&self) -> MutexGuard<'_, R> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Read> Read for Again<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lock().read(buffer)
    }
}

impl<R: Seek> Seek for Again<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.lock().seek(to)
    }
}
