//! Who may have a certificate: decisions over a request, a policy and facts.
