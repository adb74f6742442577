//! What is done with one recipient after the other.

use super::{Aim, Made};
use crate::message::{Merge, Recipient};
use crate::pickup_directory::{PickupError, Transaction};
use crate::pickup_file::{Packer, PickupFile};
use crate::stamp::Stamp;
use crate::submission::Receipt;

pub(super) enum Work<'m, 'd> {
    Check,
    Render {
        merge: &'m Merge<'m>,
        /// How many recipients there are up to the one whose message is wanted.
        left: usize,
        octets: Option<Vec<u8>>,
    },
    Choose {
        packer: Box<Packer<'m>>,
        choice: FileChoice,
    },
    Submit {
        packer: Box<Packer<'m>>,
        files: Files<'d>,
    },
}

/// The one file that is wanted.
pub(super) struct FileChoice {
    number: usize,
    file: Option<PickupFile>,
    count: usize,
}

/// The files that were written, none of them to be seen yet.
pub(super) struct Files<'d> {
    transaction: Transaction<'d>,
    names: Vec<String>,
    octets: u64,
}

impl<'m, 'd> Work<'m, 'd> {
    pub fn new(merge: &'m Merge<'m>, aim: &Aim<'d>) -> Self {
        match aim {
            Aim::Check => Self::Check,
            Aim::Render(number) => Self::Render {
                merge,
                left: *number,
                octets: None,
            },
            Aim::File(number) => Self::Choose {
                packer: Box::new(Packer::new(merge, Stamp::now())),
                choice: FileChoice {
                    number: *number,
                    file: None,
                    count: 0,
                },
            },
            Aim::Submit(directory) => Self::Submit {
                packer: Box::new(Packer::new(merge, Stamp::now())),
                files: Files {
                    transaction: directory.begin(),
                    names: Vec::new(),
                    octets: 0,
                },
            },
        }
    }

    pub fn add(&mut self, recipient: &Recipient<'_>) -> Result<(), PickupError> {
        match self {
            Self::Check => Ok(()),
            Self::Render {
                merge,
                left,
                octets,
            } => {
                if *left == 1 {
                    *octets = Some(merge.render_for(recipient, &Stamp::now()));
                }
                *left = left.saturating_sub(1);
                Ok(())
            }
            Self::Choose { packer, choice } => packer.add(recipient, |file| {
                choice.take(file);
                Ok(())
            }),
            Self::Submit { packer, files } => packer.add(recipient, |file| files.write(&file)),
        }
    }

    pub fn finish(self) -> Result<Made, PickupError> {
        match self {
            Self::Check => Ok(Made::Nothing),
            Self::Render { octets, .. } => Ok(Made::Octets(octets)),
            Self::Choose { packer, mut choice } => {
                packer.finish(|file| {
                    choice.take(file);
                    Ok::<(), PickupError>(())
                })?;
                Ok(Made::File(choice.file, choice.count))
            }
            Self::Submit { packer, mut files } => {
                let packed = packer.finish(|file| files.write(&file))?;
                files.transaction.commit()?;
                Ok(Made::Receipt(Receipt {
                    id: packed.id,
                    message_id: String::new(),
                    files: files.names,
                    recipients: packed.recipients,
                    octets: files.octets,
                    envids: Some(packed.envids),
                }))
            }
        }
    }
}

impl FileChoice {
    fn take(&mut self, file: PickupFile) {
        self.count += 1;
        if self.count == self.number {
            self.file = Some(file);
        }
    }
}

impl Files<'_> {
    fn write(&mut self, file: &PickupFile) -> Result<(), PickupError> {
        self.transaction.write(file.name(), &file.chunks())?;
        self.octets += file.octets();
        self.names.push(file.name().to_owned());
        Ok(())
    }
}
