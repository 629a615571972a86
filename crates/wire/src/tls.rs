//! TLS of a connection.

use std::fmt;
use std::sync::Arc;

use pkcs8::EncryptedPrivateKeyInfo;
use pkcs8::der::pem::PemLabel;
use pkcs8::der::{Document, SecretDocument};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};

/// Certificates and keys of connections.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM of the certificates that sign those of brokers; `None`: those that the platform trusts.
    pub roots: Option<Vec<u8>>,
    /// Certificate of this client, for brokers that ask for one.
    pub identity: Option<ClientIdentity>,
    /// Checks of a broker's certificate.
    pub verification: Verification,
}

/// Certificate of a client, with its key.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// PEM of the certificate, and of those that lead to a root.
    pub certificates: Vec<u8>,
    /// PEM of the key: PKCS #8, also encrypted, PKCS #1 or SEC 1.
    pub key: Vec<u8>,
    /// Password of an encrypted key.
    pub password: Option<String>,
}

/// Checks of a broker's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    /// A root has signed it, and it is for the host of the address.
    #[default]
    Full,
    /// A root has signed it, for whatever host.
    AnyHost,
    /// Nothing: anybody on the network path can read and change everything.
    Nothing,
}

impl Tls {
    /// Checks that the certificates and the key can be used.
    ///
    /// # Errors
    /// The reason, without the key.
    pub fn check(&self) -> Result<(), String> {
        config(self).map(drop)
    }
}

/// Does not show the key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("verification", &self.verification)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}

/// Configurations of TLS. The last one is kept: sessions resume, and unchanged files are not parsed
/// again.
#[derive(Default)]
pub(crate) struct Configs(Option<(Tls, Arc<ClientConfig>)>);

impl Configs {
    /// Begins TLS with a host.
    pub(crate) fn begin(&mut self, tls: Tls, host: &str) -> Result<ClientConnection, String> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("`{host}` is not a name that a certificate can have"))?;
        let config = match &self.0 {
            Some((last, config)) if *last == tls => config.clone(),
            _ => {
                let config = Arc::new(config(&tls)?);
                self.0 = Some((tls, config.clone()));
                config
            }
        };
        ClientConnection::new(config, name).map_err(|error| error.to_string())
    }
}

fn config(tls: &Tls) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let verifier: Arc<dyn ServerCertVerifier> = match tls.verification {
        Verification::Full => webpki(tls, provider)?,
        Verification::AnyHost => Arc::new(Lenient {
            chain: Some(webpki(tls, provider.clone())?),
            provider,
        }),
        Verification::Nothing => Arc::new(Lenient {
            chain: None,
            provider,
        }),
    };
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let Some(identity) = &tls.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let certificates = certificates(&identity.certificates)
        .map_err(|error| format!("the certificate of this client: {error}"))?;
    let key = private_key(identity)?;
    builder
        .with_client_auth_cert(certificates, key)
        .map_err(|error| format!("the certificate of this client and its key: {error}"))
}

fn webpki(tls: &Tls, provider: Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, String> {
    let mut roots = RootCertStore::empty();
    match &tls.roots {
        Some(pem) => {
            let roots_of_pem = certificates(pem).map_err(|error| format!("the CA: {error}"))?;
            for root in roots_of_pem {
                roots
                    .add(root)
                    .map_err(|error| format!("a certificate of the CA: {error}"))?;
            }
        }
        None => {
            // Those that can't be parsed are left out, as other clients of the platform do.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err("this machine trusts no certificate: name a CA (ssl.ca.location)".to_owned());
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| error.to_string())
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err("there is no certificate in it; expected PEM".to_owned())
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("it is not PEM: {error}")),
    }
}

fn private_key(identity: &ClientIdentity) -> Result<PrivateKeyDer<'static>, String> {
    const EXPECTED: &str = "expected PEM with PKCS #8, PKCS #1 or SEC 1";
    let text = std::str::from_utf8(&identity.key);
    let text = text.map_err(|_| format!("the key of this client is not text; {EXPECTED}"))?;
    if !text.contains(EncryptedPrivateKeyInfo::PEM_LABEL) {
        return PrivateKeyDer::from_pem_slice(&identity.key)
            .map_err(|error| format!("the key of this client: {error}; {EXPECTED}"));
    }
    let password = identity.password.as_ref().ok_or(
        "the key of this client is encrypted, and there is no password (ssl.key.password)",
    )?;
    let unreadable = |error: &dyn fmt::Display| format!("the key of this client: {error}");
    let (_, encrypted) = Document::from_pem(text).map_err(|error| unreadable(&error))?;
    let encrypted = EncryptedPrivateKeyInfo::try_from(encrypted.as_bytes())
        .map_err(|error| unreadable(&error))?;
    let key: SecretDocument = encrypted.decrypt(password).map_err(|error| {
        format!("the key of this client can't be decrypted (ssl.key.password): {error}")
    })?;
    PrivateKeyDer::try_from(key.as_bytes().to_vec())
        .map_err(|error| format!("the key of this client: {error}; {EXPECTED}"))
}

/// Verifier that accepts more than a certificate for the host.
#[derive(Debug)]
struct Lenient {
    /// Verifier of the signatures that lead to a root; `None`: every certificate is accepted.
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is compared last, when all else was found right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
