//! What SIGHUP reads again.

/// What is read again. Each part logs the result, and is kept if the new version is invalid.
#[derive(Default)]
pub struct Reload(Vec<Box<dyn Fn() + Send + Sync>>);

impl Reload {
    /// One thing more. It may block.
    pub fn add(&mut self, read: impl Fn() + Send + Sync + 'static) {
        self.0.push(Box::new(read));
    }

    /// Whether there is nothing to be read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads all again.
    pub fn run(&self) {
        for read in &self.0 {
            read();
        }
    }
}
