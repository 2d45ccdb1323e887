use std::sync::Arc;

use csr::{Rejection, Request, SignerName};

use crate::{Approval, CertificateAuthority, Error, Profile, Validated};

/// One signer: its name, what it permits, and who signs. Never changed; a reload makes a new one.
#[derive(Clone, Debug)]
pub struct Signer {
    name: SignerName,
    profile: Profile,
    authority: Arc<CertificateAuthority>,
}

impl Signer {
    /// A signer of these parts.
    pub fn new(name: SignerName, profile: Profile, authority: Arc<CertificateAuthority>) -> Self {
        Self { name, profile, authority }
    }

    /// The signerName it signs for.
    pub fn name(&self) -> &SignerName {
        &self.name
    }

    /// What it permits.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Who signs.
    pub fn authority(&self) -> &Arc<CertificateAuthority> {
        &self.authority
    }

    /// Whether an approved request may be signed: what of it is, or the first rule of the profile that it breaks,
    /// which is terminal.
    ///
    /// # Errors
    ///
    /// When the request is for another signer, whose rules may well permit it.
    pub fn validate<'a>(
        &'a self,
        request: &'a Request,
        approval: Approval,
    ) -> Result<Result<Validated<'a>, Rejection>, Error> {
        if request.signer_name() != &self.name {
            return Err(Error::OtherSigner {
                requested: request.signer_name().to_string(),
                given: self.name.to_string(),
            });
        }
        Ok(self.profile.admit(request).map(|content| Validated::new(self, content, approval)))
    }
}
