//! What this process works by at one moment: who signs with what, and what there is to do.

use std::collections::BTreeMap;

use csr::SignerName;
use engine::Standings;
use signer::Signer;

/// One consistent whole. A reload replaces it by another one, and an effect takes it once: a profile and a CA that do not
/// belong together never meet.
#[derive(Debug, Default)]
pub struct Policy {
    /// Who signs for which signerName.
    pub signers: BTreeMap<SignerName, Signer>,

    /// What there is to do for whom.
    pub standings: Standings,
}
