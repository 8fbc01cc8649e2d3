//! Who asks: the key's header, and what stands in the place of a key.

use schemars::JsonSchema;
use serde::Serialize;

/// The header of the key.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AuthDocument {
    /// The header's name. Default: `authorization`.
    pub header: Option<String>,
    /// Whether `Bearer ` stands before the key. Default: only in `authorization`.
    pub bearer: Option<bool>,
}

/// AWS's keys: two or three texts, or the name of a profile. A text may be `env:NAME` or
/// `file:/path`.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AwsDocument {
    /// The access key's id.
    pub access_key_id: Option<String>,
    /// The secret access key.
    pub secret_access_key: Option<String>,
    /// The token of temporary keys.
    pub session_token: Option<String>,
    /// A profile of `~/.aws/credentials` or `~/.aws/config`.
    pub profile: Option<String>,
}

/// Google's credentials.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GoogleDocument {
    /// The path of a file of credentials, `env:NAME` for a variable that has its content, or the
    /// content itself. Default: application default credentials.
    pub credentials: Option<String>,
}

/// An identity of Entra ID. Default: what the environment says, and then the managed identity of this
/// machine.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EntraDocument {
    /// The tenant's id or domain. Default: `AZURE_TENANT_ID`.
    pub tenant_id: Option<String>,
    /// The id of the application, or of a managed identity that a user has assigned. Default:
    /// `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// The application's secret: `env:NAME`, `file:/path`, or the secret itself.
    pub client_secret: Option<String>,
    /// A PEM file with the application's certificate and private key.
    pub client_certificate_path: Option<String>,
    /// A file with a token of another identity provider (workload identity).
    pub federated_token_file: Option<String>,
    /// The host of another cloud. Default: `AZURE_AUTHORITY_HOST`, or
    /// `https://login.microsoftonline.com`.
    pub authority_host: Option<String>,
    /// What tokens are for. Default: `https://cognitiveservices.azure.com/.default`.
    pub scope: Option<String>,
}
