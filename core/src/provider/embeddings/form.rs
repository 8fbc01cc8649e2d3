//! OpenAI's form of a request for embeddings, and how the servers that share it differ.
//!
//! Every field states a fact about a server. `openai::dialect` explains the marks of the sources.

use crate::model::Encoding;
use crate::provider::most::Most;

/// How a server takes a request for embeddings in OpenAI's form.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// The member and the word that ask for floats in base64. `None`: they come as decimal text.
    pub base64: Option<(&'static str, &'static str)>,
    /// It is known to answer so. Others may answer in decimal text, which is four times as long.
    pub packs: bool,
    /// The member that asks for other numbers than floats; "" if there is none.
    pub numbers: &'static str,
    /// The encodings that this member can ask for.
    pub encodings: &'static [Encoding],
    /// The member for the length of the vectors; "" if there is none.
    pub dimensions: &'static str,
    /// The member for the type of the inputs, with its words in the order of [`crate::model::InputType::NAMES`];
    /// a word is "" if there is none.
    pub input_type: (&'static str, [&'static str; 4]),
    /// What happens to an input that is too long.
    pub cut: Cut,
    /// Takes inputs as lists of tokens.
    pub tokens: bool,
    /// Takes an input that is an image, as `{"image": URL}`.
    pub images: bool,
    /// With a version of the API, its path names the deployment (Azure).
    pub deployments: bool,
    /// The most that one request may have.
    pub most: Most,
}

/// What a server does with an input that is too long for its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// This member allows its end to be cut off, or forbids it.
    Member(&'static str),
    /// It refuses the request.
    Never,
    /// Nobody says, and it cannot be asked.
    Unknown,
}

/// The members for encodings in OpenAI's words.
const BASE64: Option<(&str, &str)> = Some(("encoding_format", "base64"));

/// `OpenAI`: 2,048 inputs and 300,000 tokens a request [doc]; `dimensions`, base64 [rec]; lists of
/// tokens [sdk 3.54]; an input that is too long is an error [doc].
pub const OPENAI: Form = Form {
    base64: BASE64,
    packs: true,
    numbers: "",
    encodings: &[],
    dimensions: "dimensions",
    input_type: ("", [""; 4]),
    cut: Cut::Never,
    tokens: true,
    images: false,
    deployments: false,
    most: Most::of(2_048, 300_000),
};

/// Azure: as OpenAI, and with deployments [rec].
pub const AZURE: Form = Form { deployments: true, ..OPENAI };

/// Servers of which little is known. `OpenAI`'s SDKs ask every server for base64, so all of them
/// have met it; what comes as decimal text is read as well.
pub const OTHERS: Form =
    Form { packs: false, cut: Cut::Unknown, most: Most::of(512, usize::MAX), ..OPENAI };

/// Mistral: `output_dimension`, `output_dtype`, base64 [sdk 3.7]; 257 inputs are too many [rec];
/// 16,384 tokens a request [unverified]; what is too long is refused or cut off [unverified].
pub const MISTRAL: Form = Form {
    numbers: "output_dtype",
    encodings: &[Encoding::Int8, Encoding::Uint8, Encoding::Binary, Encoding::Ubinary],
    dimensions: "output_dimension",
    tokens: false,
    cut: Cut::Unknown,
    most: Most::of(256, 16_384),
    ..OPENAI
};

/// Together: `model` and `input` alone [sdk 3.1].
pub const TOGETHER: Form = Form { base64: None, dimensions: "", tokens: false, ..OTHERS };

/// Fireworks: `dimensions` [doc]; that it has no base64 is [unverified].
pub const FIREWORKS: Form = Form { base64: None, tokens: false, ..OTHERS };
