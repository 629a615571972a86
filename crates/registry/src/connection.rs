//! Address and credentials of a registry.

use std::fmt;
use std::path::PathBuf;

use crate::Error;

/// Environment variable with the address.
pub const URL: &str = "SCHEMA_REGISTRY_URL";
/// Environment variable with `USER:PASSWORD`.
pub const USER_INFO: &str = "SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO";
/// Environment variable with a bearer token.
pub const BEARER_TOKEN: &str = "SCHEMA_REGISTRY_BEARER_TOKEN";
/// Environment variable with the path of the certificates that sign that of the registry.
pub const CA_LOCATION: &str = "SCHEMA_REGISTRY_CA_LOCATION";

/// Address of a registry, and the credentials for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    url: String,
    /// Credentials, if the registry asks for some.
    pub credentials: Option<Credentials>,
    /// File with the certificates (PEM) that sign that of the registry; `None`: those that the platform
    /// trusts.
    pub ca: Option<PathBuf>,
}

/// Credentials of a client.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// User and password.
    Basic(String, String),
    /// Token.
    Bearer(String),
}

impl Credentials {
    /// Parses `USER:PASSWORD`.
    ///
    /// # Errors
    /// There is no colon. The text is not quoted.
    pub fn of_user_info(text: &str) -> Result<Self, Error> {
        let (user, password) = text.split_once(':').ok_or_else(|| {
            Error::Settings("the login of the schema registry must be USER:PASSWORD".to_owned())
        })?;
        Ok(Self::Basic(user.to_owned(), password.to_owned()))
    }
}

/// Shows no secrets.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic(..) => "Basic",
            Self::Bearer(_) => "Bearer",
        })
    }
}

impl Connection {
    /// Checks an address, such as `https://registry.example:8081`.
    ///
    /// # Errors
    /// It is not an address of a registry, or has credentials, which would be shown with it.
    pub fn new(url: &str) -> Result<Self, Error> {
        let url = url.trim().trim_end_matches('/');
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let problem = |text: &str| Err(Error::Settings(text.to_owned()));
        let Some(rest) = rest else {
            return problem(
                "the address of the schema registry must begin with https:// or http://, such as \
                 https://registry.example:8081",
            );
        };
        let host = rest.split('/').next().unwrap_or_default();
        if host.contains('@') {
            return problem(
                "the address of the schema registry must not have a user or a password, because it is \
                 shown in messages; set SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO to USER:PASSWORD",
            );
        }
        let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | '<' | '>');
        if host.is_empty() || !rest.chars().all(is_plain) {
            return problem(
                "the address of the schema registry must be a host with a port and a path, such as \
                 https://registry.example:8081/apis/ccompat/v7",
            );
        }
        Ok(Self {
            url: url.to_owned(),
            credentials: None,
            ca: None,
        })
    }

    /// Returns the registry with the first address of these: the one given, that of the environment, that of
    /// a project. `None` if there is none. Credentials are those of the environment.
    ///
    /// # Errors
    /// See [`Connection::new`].
    pub fn find(
        given: Option<&str>,
        project: Option<&str>,
        ca: Option<PathBuf>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, Error> {
        let of_environment = variable(URL);
        let Some(url) = given.or(of_environment.as_deref()).or(project) else {
            return Ok(None);
        };
        let mut connection = Self::new(url)?;
        connection.ca = ca;
        connection.with_environment(variable).map(Some)
    }

    /// Adds credentials and certificates of the environment, where it has some.
    ///
    /// # Errors
    /// The login is not `USER:PASSWORD`.
    fn with_environment(
        mut self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        if let Some(token) = variable(BEARER_TOKEN) {
            self.credentials = Some(Credentials::Bearer(token));
        } else if let Some(login) = variable(USER_INFO) {
            let login = Credentials::of_user_info(&login)
                .map_err(|_| Error::Settings(format!("{USER_INFO} must be USER:PASSWORD")))?;
            self.credentials = Some(login);
        }
        if let Some(path) = variable(CA_LOCATION) {
            self.ca = Some(path.into());
        }
        Ok(self)
    }

    /// Returns the address, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_an_address_are_refused_and_not_repeated() {
        let error = Connection::new("https://alice:hunter2@registry:8081").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
        assert!(error.to_string().contains(USER_INFO));
    }

    #[test]
    fn addresses_are_checked() {
        let connection = Connection::new(" http://127.0.0.1:8081/apis/ccompat/v7/ ").unwrap();
        assert_eq!(connection.url(), "http://127.0.0.1:8081/apis/ccompat/v7");
        for wrong in [
            "",
            "registry:8081",
            "ftp://x",
            "http://",
            "http://a b",
            "http://a?b",
        ] {
            assert!(Connection::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_token_of_the_environment_goes_before_a_login() {
        let with = |names: &'static [&'static str]| {
            let variable = |name: &str| names.contains(&name).then(|| "a:b:c".to_owned());
            let connection = Connection::new("http://a").unwrap();
            connection.with_environment(&variable).unwrap().credentials
        };
        assert_eq!(with(&[]), None);
        assert_eq!(
            with(&[USER_INFO]),
            Some(Credentials::Basic("a".to_owned(), "b:c".to_owned()))
        );
        assert_eq!(
            with(&[USER_INFO, BEARER_TOKEN]),
            Some(Credentials::Bearer("a:b:c".to_owned()))
        );
        let connection = Connection::new("http://a").unwrap();
        let error =
            connection.with_environment(&|name| (name == USER_INFO).then(|| "secret".to_owned()));
        assert_eq!(
            error.unwrap_err().to_string(),
            format!("{USER_INFO} must be USER:PASSWORD")
        );
    }

    #[test]
    fn debug_shows_no_credentials() {
        let mut connection = Connection::new("http://a").unwrap();
        connection.credentials = Some(Credentials::Basic("u".to_owned(), "hunter2".to_owned()));
        assert!(!format!("{connection:?}").contains("hunter2"));
    }
}
