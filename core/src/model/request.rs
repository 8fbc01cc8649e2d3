//! What is asked. Feeds the cache key and the audit hash; how and where it is done is in `options`.
//!
//! The document is OpenAI's chat request with a few members of our own. It is read by hand, not
//! derived: a message about a wrong member has to name its path and must not quote its value.

use super::options::Options;
use super::response::ToolCall;
use crate::codec::{Fields, Object, parse_object, type_name, wrong};
use crate::error::{Error, ErrorKind};
use crate::json::{Number, Value};

/// A chat request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The conversation; `prompt` in the document is one user message.
    pub messages: Vec<Message>,
    /// The provider's model id; the configuration's default where absent.
    pub model: Option<String>,
    /// Most tokens of the answer.
    pub max_tokens: Option<u64>,
    /// Sampling temperature.
    pub temperature: Option<Number>,
    /// Nucleus sampling.
    pub top_p: Option<Number>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Seed for sampling.
    pub seed: Option<Number>,
    /// How many choices.
    pub n: Option<u64>,
    /// OpenAI's presence penalty.
    pub presence_penalty: Option<Number>,
    /// OpenAI's frequency penalty.
    pub frequency_penalty: Option<Number>,
    /// Tools that the model may call.
    pub tools: Vec<Tool>,
    /// Which tool the model must call.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called at once.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    pub response_format: Option<ResponseFormat>,
    /// How much the model thinks before it answers.
    pub reasoning: Option<Reasoning>,
    /// Whether chunks are wanted.
    pub stream: bool,
    /// Labels that the provider stores with the request.
    pub metadata: Option<Object>,
    /// An id of the end user, for the provider's abuse checks.
    pub user: Option<String>,
    /// Members for one provider's body only, by the provider's name.
    pub extra: Object,
    /// Paths of members that nobody knows: reported in `warnings`.
    pub unknown: Vec<String>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions.
    System,
    /// Instructions, under OpenAI's newer name.
    Developer,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// A tool's result.
    Tool,
}

impl Role {
    const WORDS: [&'static str; 5] = ["system", "developer", "user", "assistant", "tool"];

    /// The name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// One message of the conversation.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said; `None` for an assistant's message that only calls tools.
    pub content: Option<Content>,
    /// A name of the speaker, for the providers that take one.
    pub name: Option<String>,
    /// The tools that the assistant called.
    pub tool_calls: Vec<ToolCall>,
    /// For a tool's result: the call it answers.
    pub tool_call_id: Option<String>,
    /// The assistant's refusal.
    pub refusal: Option<String>,
    /// The assistant's reasoning text. Sent back only where the provider wants it.
    pub reasoning: Option<String>,
    /// A tool's result that reports a failure (Anthropic's `is_error`).
    pub is_error: Option<bool>,
    /// What a provider said that has no unified place, as our response gave it. Read by the
    /// adapter that wrote it, so that signed reasoning goes back unchanged.
    pub provider_fields: Object,
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Parts in order.
    Parts(Vec<Part>),
}

/// One part of a message.
#[derive(Clone, Debug)]
pub enum Part {
    /// Text. `cache_control` marks the end of a prefix to cache (Anthropic).
    Text {
        /// The text.
        text: String,
        /// Anthropic's cache mark.
        cache_control: Option<Value>,
    },
    /// An image by URL or as a `data:` URL.
    Image {
        /// `https://…` or `data:image/png;base64,…`.
        url: String,
        /// OpenAI's `low`, `high`, `auto`.
        detail: Option<String>,
        /// Anthropic's cache mark.
        cache_control: Option<Value>,
    },
    /// Audio in base64.
    Audio {
        /// Base64.
        data: String,
        /// `wav` or `mp3`.
        format: String,
    },
    /// A file: OpenAI's `file` object (`file_data`, `file_id`, `filename`).
    File {
        /// The object as it came.
        file: Object,
        /// Anthropic's cache mark.
        cache_control: Option<Value>,
    },
}

/// A tool that is offered to the model.
#[derive(Clone, Debug)]
pub enum Tool {
    /// A function of the caller's.
    Function {
        /// Its name.
        name: String,
        /// What it does.
        description: Option<String>,
        /// JSON Schema of its arguments.
        parameters: Option<Value>,
        /// Whether arguments must match the schema exactly.
        strict: Option<bool>,
        /// Anthropic's cache mark.
        cache_control: Option<Value>,
    },
    /// A tool of the provider's own (`{"type": "web_search_20250305", …}`), sent as it is.
    Native(Object),
}

/// Which tool the model must call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// None.
    None,
    /// Any, but at least one.
    Required,
    /// This one.
    Function(String),
}

/// The form of the answer.
#[derive(Clone, Debug)]
pub enum ResponseFormat {
    /// Plain text.
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON of this schema.
    JsonSchema {
        /// The schema's name.
        name: String,
        /// What it is for.
        description: Option<String>,
        /// JSON Schema.
        schema: Value,
        /// Whether the answer must match exactly.
        strict: Option<bool>,
    },
}

/// How much the model thinks before it answers.
#[derive(Clone, Debug, Default)]
pub struct Reasoning {
    /// `none`, `minimal`, `low`, `medium`, `high`, …: the provider checks the word.
    pub effort: Option<String>,
    /// Most tokens of reasoning.
    pub budget_tokens: Option<u64>,
}

impl Request {
    /// Reads a request document and the options that lie in it; `options`, given beside it, win
    /// member by member.
    pub fn parse(bytes: &[u8], options: Options) -> Result<(Request, Options), Error> {
        let mut fields = Fields::new(parse_object(bytes, "request")?, "");
        let options = match fields.object("options")? {
            Some(object) => options.or(Options::read(object)?),
            None => options,
        };
        match fields.string("op")?.as_deref() {
            None | Some("chat") => {}
            // The tests' way to see that a panic stays inside.
            #[cfg(debug_assertions)]
            Some("debug_panic") => panic!("op debug_panic"),
            Some(_) => {
                let message = "op must be \"chat\": this build has no other operation";
                return Err(Error::new(ErrorKind::Unsupported, message)
                    .with(|e| e.param = Some("op".into())));
            }
        }
        let mut unknown = Vec::new();
        let messages = read_conversation(&mut fields, &mut unknown)?;
        let max_tokens = fields.whole("max_tokens", 1)?;
        let max_completion_tokens = fields.whole("max_completion_tokens", 1)?;
        let mut request = Request {
            messages,
            model: fields.string("model")?.filter(|model| !model.is_empty()),
            max_tokens: max_completion_tokens.or(max_tokens),
            temperature: fields.number("temperature")?,
            top_p: fields.number("top_p")?,
            stop: read_stop(&mut fields)?,
            seed: fields.number("seed")?,
            n: fields.whole("n", 1)?,
            presence_penalty: fields.number("presence_penalty")?,
            frequency_penalty: fields.number("frequency_penalty")?,
            tools: read_tools(&mut fields, &mut unknown)?,
            tool_choice: read_tool_choice(&mut fields)?,
            parallel_tool_calls: fields.bool("parallel_tool_calls")?,
            response_format: read_response_format(&mut fields, &mut unknown)?,
            reasoning: read_reasoning(&mut fields, &mut unknown)?,
            stream: fields.bool("stream")?.unwrap_or(false),
            metadata: fields.object("metadata")?,
            user: fields.string("user")?,
            extra: fields.object("extra")?.unwrap_or_default(),
            unknown: Vec::new(),
        };
        for (provider, members) in &request.extra {
            if !members.is_object() {
                return Err(wrong(&format!("extra.{provider}"), "an object", members));
            }
        }
        // A usage chunk is always asked for; OpenAI's member says nothing that we do not do.
        fields.value("stream_options");
        fields.rest_into(&mut unknown);
        request.unknown = unknown;
        if options.strict == Some(true)
            && let Some(name) = request.unknown.first()
        {
            return Err(Error::invalid(
                name.as_str(),
                format!(
                    "{name} is not a member of a request (options.strict is on); members for one \
                         provider go under extra.<provider>"
                ),
            ));
        }
        Ok((request, options))
    }
}

fn read_conversation(
    fields: &mut Fields,
    unknown: &mut Vec<String>,
) -> Result<Vec<Message>, Error> {
    let prompt = fields.string("prompt")?;
    let messages = fields.list("messages")?;
    match (prompt, messages) {
        (Some(_), Some(_)) => Err(Error::invalid(
            "prompt",
            "prompt and messages exclude each other: give one of them",
        )),
        (Some(text), None) => Ok(vec![Message::user(text)]),
        (None, Some(items)) if items.is_empty() => {
            Err(Error::invalid("messages", "messages is empty: give at least one message"))
        }
        (None, Some(items)) => items
            .into_iter()
            .enumerate()
            .map(|(i, item)| Message::read(item, &format!("messages[{i}]"), unknown))
            .collect(),
        (None, None) => {
            Err(fields.missing("messages", "give messages, or prompt for a single one"))
        }
    }
}

impl Message {
    /// A user's message of plain text.
    pub fn user(text: impl Into<String>) -> Self {
        Message {
            role: Role::User,
            content: Some(Content::Text(text.into())),
            name: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
            refusal: None,
            reasoning: None,
            is_error: None,
            provider_fields: Object::new(),
        }
    }

    fn read(value: Value, path: &str, unknown: &mut Vec<String>) -> Result<Self, Error> {
        let mut fields = Fields::of(value, path)?;
        let Some(word) = fields.string("role")? else {
            return Err(fields.missing("role", "one of system, developer, user, assistant, tool"));
        };
        let role = match word.as_str() {
            "system" => Role::System,
            "developer" => Role::Developer,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" => Role::Tool,
            _ => {
                let path = fields.at("role");
                let message = format!("{path} must be one of {}", Role::WORDS.join(", "));
                return Err(Error::invalid(path, message));
            }
        };
        let content = match fields.value("content") {
            None => None,
            Some(Value::String(text)) => Some(Content::Text(text)),
            Some(Value::Array(items)) => {
                let at = fields.at("content");
                let parts = items.into_iter().enumerate();
                let parts = parts.map(|(i, item)| Part::read(item, &format!("{at}[{i}]"), unknown));
                Some(Content::Parts(parts.collect::<Result<_, _>>()?))
            }
            Some(other) => {
                return Err(wrong(&fields.at("content"), "a string or a list of parts", &other));
            }
        };
        let mut tool_calls = Vec::new();
        for (i, item) in fields.list("tool_calls")?.unwrap_or_default().into_iter().enumerate() {
            tool_calls.push(read_tool_call(item, &format!("{path}.tool_calls[{i}]"))?);
        }
        let message = Message {
            role,
            content,
            name: fields.string("name")?,
            tool_calls,
            tool_call_id: fields.string("tool_call_id")?,
            refusal: fields.string("refusal")?,
            reasoning: match fields.string("reasoning")? {
                Some(text) => Some(text),
                None => fields.string("reasoning_content")?,
            },
            is_error: fields.bool("is_error")?,
            provider_fields: fields.object("provider_fields")?.unwrap_or_default(),
        };
        match message.role {
            Role::Tool if message.tool_call_id.is_none() => {
                return Err(
                    fields.missing("tool_call_id", "the id of the tool call that this answers")
                );
            }
            Role::Assistant => {}
            _ if message.content.is_none() => {
                return Err(fields.missing("content", "a string or a list of parts"));
            }
            _ => {}
        }
        // An assistant's message may be a response of another library, with members of its own
        // (`annotations`, `audio`, …): said before, not asked now, and no provider takes them back.
        if message.role != Role::Assistant {
            fields.rest_into(unknown);
        }
        Ok(message)
    }

    /// The message's text: all text parts, in order.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.content {
            None => String::new(),
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Text { text, .. } => Some(text.as_str()),
                    _ => None,
                })
                .collect(),
        }
    }
}

fn read_tool_call(value: Value, path: &str) -> Result<ToolCall, Error> {
    let mut fields = Fields::of(value, path)?;
    let id = fields.string("id")?.unwrap_or_default();
    let Some(function) = fields.object("function")? else {
        return Err(fields.missing("function", "an object with name and arguments"));
    };
    let mut function = Fields::new(function, fields.at("function"));
    let Some(name) = function.string("name")? else {
        return Err(function.missing("name", "the name of the function that was called"));
    };
    let arguments = match function.value("arguments") {
        None => String::new(),
        Some(Value::String(text)) => text,
        Some(object @ Value::Object(_)) => object.to_string(),
        Some(other) => {
            return Err(wrong(&function.at("arguments"), "a string of JSON, or an object", &other));
        }
    };
    Ok(ToolCall::new(id, name, arguments))
}

impl Part {
    fn read(value: Value, path: &str, unknown: &mut Vec<String>) -> Result<Self, Error> {
        let mut fields = Fields::of(value, path)?;
        let kind = fields.string("type")?;
        let cache_control = fields.value("cache_control");
        let part = match kind.as_deref() {
            Some("text") => match fields.string("text")? {
                Some(text) => Ok(Part::Text { text, cache_control }),
                None => Err(fields.missing("text", "the part's text")),
            },
            Some("image_url") => {
                let (url, detail) = match fields.value("image_url") {
                    Some(Value::String(url)) => (Some(url), None),
                    Some(Value::Object(image)) => {
                        let mut image = Fields::new(image, fields.at("image_url"));
                        (image.string("url")?, image.string("detail")?)
                    }
                    Some(other) => return Err(wrong(&fields.at("image_url"), "an object", &other)),
                    None => (None, None),
                };
                match url {
                    Some(url) => Ok(Part::Image { url, detail, cache_control }),
                    None => {
                        Err(fields.missing("image_url.url", "a URL, or a data: URL with base64"))
                    }
                }
            }
            Some("input_audio") => {
                let Some(audio) = fields.object("input_audio")? else {
                    return Err(fields.missing("input_audio", "an object with data and format"));
                };
                let mut audio = Fields::new(audio, fields.at("input_audio"));
                match (audio.string("data")?, audio.string("format")?) {
                    (Some(data), Some(format)) => Ok(Part::Audio { data, format }),
                    _ => Err(audio.missing("data", "data in base64 and its format, wav or mp3")),
                }
            }
            Some("file") => match fields.object("file")? {
                Some(file) => Ok(Part::File { file, cache_control }),
                None => Err(fields.missing("file", "an object with file_data or file_id")),
            },
            // What an assistant refused to say, handed back as part of the history.
            Some("refusal") => {
                let text = fields.string("refusal")?.unwrap_or_default();
                Ok(Part::Text { text, cache_control: None })
            }
            _ => {
                let path = fields.at("type");
                let message = format!("{path} must be one of text, image_url, input_audio, file");
                Err(Error::invalid(path, message))
            }
        }?;
        fields.rest_into(unknown);
        Ok(part)
    }
}

fn read_stop(fields: &mut Fields) -> Result<Vec<String>, Error> {
    match fields.value("stop") {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text]),
        Some(Value::Array(items)) => items
            .into_iter()
            .enumerate()
            .map(|(i, item)| match item {
                Value::String(text) => Ok(text),
                other => Err(wrong(&format!("stop[{i}]"), "a string", &other)),
            })
            .collect(),
        Some(other) => Err(wrong("stop", "a string or a list of strings", &other)),
    }
}

fn read_tools(fields: &mut Fields, unknown: &mut Vec<String>) -> Result<Vec<Tool>, Error> {
    let mut tools = Vec::new();
    for (i, item) in fields.list("tools")?.unwrap_or_default().into_iter().enumerate() {
        let path = format!("tools[{i}]");
        let mut tool = Fields::of(item, path.as_str())?;
        let kind = tool.string("type")?;
        if kind.as_deref() != Some("function") {
            let Some(kind) = kind else {
                return Err(
                    tool.missing("type", "\"function\", or the type of a provider's own tool")
                );
            };
            let mut native = Object::new();
            native.insert("type", Value::String(kind));
            native.extend(tool.rest());
            tools.push(Tool::Native(native));
            continue;
        }
        let Some(function) = tool.object("function")? else {
            return Err(tool.missing("function", "an object with name and parameters"));
        };
        let cache_control = tool.value("cache_control");
        let mut function = Fields::new(function, tool.at("function"));
        let Some(name) = function.string("name")? else {
            return Err(function.missing("name", "the function's name"));
        };
        let parameters = function.value("parameters");
        if let Some(other) = parameters.as_ref().filter(|value| !value.is_object()) {
            return Err(wrong(&function.at("parameters"), "an object (a JSON Schema)", other));
        }
        tools.push(Tool::Function {
            name,
            description: function.string("description")?,
            parameters,
            strict: function.bool("strict")?,
            cache_control,
        });
        function.rest_into(unknown);
        tool.rest_into(unknown);
    }
    Ok(tools)
}

fn read_tool_choice(fields: &mut Fields) -> Result<Option<ToolChoice>, Error> {
    let hint = "tool_choice must be auto, none, required, or \
                {\"type\":\"function\",\"function\":{\"name\":…}}";
    match fields.value("tool_choice") {
        None => Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" | "any" => Ok(Some(ToolChoice::Required)),
            _ => Err(Error::invalid("tool_choice", hint)),
        },
        Some(value) => {
            let name = value.get("function").and_then(|function| function.get("name"));
            let name = name.or_else(|| value.get("name"));
            match name.and_then(Value::as_str) {
                Some(name) => Ok(Some(ToolChoice::Function(name.to_owned()))),
                None => Err(Error::invalid("tool_choice", hint)),
            }
        }
    }
}

fn read_response_format(
    fields: &mut Fields,
    unknown: &mut Vec<String>,
) -> Result<Option<ResponseFormat>, Error> {
    let Some(object) = fields.object("response_format")? else { return Ok(None) };
    let mut format = Fields::new(object, "response_format");
    let words = ["text", "json_object", "json_schema"];
    match format.word("type", &words)? {
        Some(word @ ("text" | "json_object")) => {
            format.rest_into(unknown);
            Ok(Some(if word == "text" { ResponseFormat::Text } else { ResponseFormat::JsonObject }))
        }
        Some(_) => {
            let Some(inner) = format.object("json_schema")? else {
                return Err(format.missing("json_schema", "an object with name and schema"));
            };
            let mut inner = Fields::new(inner, "response_format.json_schema");
            let Some(schema) = inner.value("schema") else {
                return Err(inner.missing("schema", "a JSON Schema"));
            };
            if !schema.is_object() {
                let path = inner.at("schema");
                let message = format!("{path} must be an object, not {}", type_name(&schema));
                return Err(Error::invalid(path, message));
            }
            let read = ResponseFormat::JsonSchema {
                name: inner.string("name")?.unwrap_or_else(|| "response".to_owned()),
                description: inner.string("description")?,
                schema,
                strict: inner.bool("strict")?,
            };
            inner.rest_into(unknown);
            format.rest_into(unknown);
            Ok(Some(read))
        }
        None => Err(format.missing("type", "text, json_object or json_schema")),
    }
}

fn read_reasoning(
    fields: &mut Fields,
    unknown: &mut Vec<String>,
) -> Result<Option<Reasoning>, Error> {
    let alias = fields.string("reasoning_effort")?;
    let Some(object) = fields.object("reasoning")? else {
        return Ok(alias.map(|effort| Reasoning { effort: Some(effort), budget_tokens: None }));
    };
    let mut reasoning = Fields::new(object, "reasoning");
    let read = Reasoning {
        effort: reasoning.string("effort")?.or(alias),
        budget_tokens: reasoning.whole("budget_tokens", 0)?,
    };
    reasoning.rest_into(unknown);
    Ok(Some(read).filter(|r| r.effort.is_some() || r.budget_tokens.is_some()))
}
