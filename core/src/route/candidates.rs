//! From a request and its options to the targets that it may go to, in order.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::policy::{self, Policy};
use super::table::{Table, TargetState};
use crate::config::route::{at, target};
use crate::config::{Config, Hedge, Parameters, RetryOverlay, RouteTarget};
use crate::error::{Error, ErrorKind};
use crate::model::{Options, Request, Warning};

/// One target of a call.
pub(crate) struct Candidate {
    /// The provider's place in the configuration.
    pub(crate) provider: usize,
    pub(crate) model: String,
    weight: u32,
    /// What is different in requests to it.
    pub(crate) parameters: Option<Arc<Parameters>>,
    pub(crate) state: Arc<TargetState>,
}

/// Where a call may go, and what its route says of how.
pub(crate) struct Choice {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) retry: Option<RetryOverlay>,
    pub(crate) hedge: Option<Hedge>,
    pub(crate) warnings: Vec<Warning>,
}

/// The targets of a request. `to`: the target of a fan-out, in place of what the request says.
pub(crate) fn resolve(
    config: &Config,
    table: &Table,
    request: &Request,
    options: &Options,
    to: Option<&str>,
) -> Result<Choice, Error> {
    let mut warnings = Vec::new();
    let by_name = request.model.as_deref().is_some_and(|model| config.route(model).is_some());
    let (policy, mut targets, retry, hedge) = match asked(config, request, options, to) {
        Asked::Route(name) => {
            let Some(route) = config.route(&name) else { return Err(no_provider()) };
            if let Some(model) = request.model.as_deref().filter(|model| *model != name)
                && route.targets.iter().all(|target| target.model.is_some())
            {
                warnings.push(Warning {
                    code: "routed",
                    message: format!(
                        "the targets of the route {name} have their own models, not {model}"
                    ),
                    param: Some("model".to_owned()),
                });
            }
            (route.policy, route.targets.clone(), route.retry, route.hedge)
        }
        Asked::Target(found) => (Policy::Priority, vec![found?], None, None),
    };
    // For targets that have no model of their own: the request's, unless it named a target.
    let model = match (to, &options.provider) {
        (Some(_), _) => None,
        (None, Some(_)) => request.model.clone(),
        (None, None) if by_name => None,
        (None, None) => targets[0].model.clone().or_else(|| request.model.clone()),
    };
    let mut own = targets.len();
    if to.is_none() {
        for (i, text) in options.fallback.iter().flatten().enumerate() {
            let (provider, model) = target(text, config)
                .map_err(|error| at(error, &format!("options.fallback[{i}]")))?;
            targets.push(plain(provider, model));
        }
    } else if options.fallback.is_some() {
        let message = "options.fallback: a fan-out has its own targets; one of them may be a \
                       route, which has fallbacks";
        return Err(Error::invalid("options.fallback", message));
    }
    if let Some(region) = &options.region {
        let is_there = |target: &RouteTarget| {
            let own = target.region.as_ref().or(config.providers[target.provider].region.as_ref());
            own == Some(region)
        };
        own = targets[..own].iter().filter(|target| is_there(target)).count();
        targets.retain(is_there);
        if targets.is_empty() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "no target of this call is in the region that options.region asks for: give \
                 providers or targets a region in the configuration, or ask for another",
            )
            .with(|e| e.param = Some("options.region".to_owned())));
        }
    }
    let mut candidates = Vec::with_capacity(targets.len());
    for target in targets {
        let settings = &config.providers[target.provider];
        let own = target.model.or_else(|| model.clone()).or_else(|| settings.model.clone());
        let Some(model) = own.or_else(|| config.default_model.clone()) else {
            let name = &settings.name;
            return Err(Error::invalid(
                "model",
                format!(
                    "model is missing: give it in the request, or providers.{name}.model in the \
                     configuration"
                ),
            )
            .with(|e| e.provider = Some(name.clone())));
        };
        let state = table.target(config, target.provider, &model);
        let RouteTarget { provider, weight, parameters, .. } = target;
        candidates.push(Candidate { provider, model, weight, parameters, state });
    }
    if policy != Policy::Priority && own > 1 {
        let sticky = options.sticky_key.as_deref();
        // A fallback comes after all of them, whatever its weight or speed.
        let fallbacks = candidates.split_off(own);
        candidates = ordered(policy, candidates, sticky, config, table);
        candidates.extend(fallbacks);
    }
    Ok(Choice { candidates, retry, hedge, warnings })
}

enum Asked {
    Route(String),
    Target(Result<RouteTarget, Error>),
}

/// What the request names: a route, or one target.
fn asked(config: &Config, request: &Request, options: &Options, to: Option<&str>) -> Asked {
    let route = |name: &str| config.route(name).map(|route| Asked::Route(route.name.clone()));
    let found = |(provider, model)| Asked::Target(Ok(plain(provider, model)));
    let named = |name: &str| match config.index(name) {
        Ok(provider) => found((provider, None)),
        Err(error) => Asked::Target(Err(error)),
    };
    if let Some(to) = to {
        return route(to).unwrap_or_else(|| match target(to, config) {
            Ok(target) => found(target),
            Err(error) => Asked::Target(Err(at(error, "options.fanout.targets"))),
        });
    }
    if let Some(name) = &options.provider {
        return route(name).unwrap_or_else(|| named(name));
    }
    let asked = request.model.as_deref();
    // With no default provider the default model says where it goes, as a request's does.
    let unrouted = config.default_provider.is_none();
    let asked = asked.or(config.default_model.as_deref().filter(|_| unrouted));
    if let Some(asked) = asked {
        if let Some(route) = route(asked) {
            return route;
        }
        if let Some((name, rest)) = asked.split_once('/')
            && let Ok(provider) = config.index(name)
        {
            return found((provider, Some(rest.to_owned())));
        }
    }
    match &config.default_provider {
        Some(name) => route(name).unwrap_or_else(|| named(name)),
        None => Asked::Target(Err(no_provider())),
    }
}

fn plain(provider: usize, model: Option<String>) -> RouteTarget {
    RouteTarget { provider, model, region: None, weight: 1, parameters: None }
}

fn no_provider() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "no provider is known for this request: give options.provider, a model of the form \
         provider/model, or a default_provider in the configuration",
    )
    .with(|e| e.param = Some("model".to_owned()))
}

fn ordered(
    policy: Policy,
    candidates: Vec<Candidate>,
    sticky: Option<&str>,
    config: &Config,
    table: &Table,
) -> Vec<Candidate> {
    let now = Instant::now();
    let mut listed: HashMap<*const TargetState, usize> = HashMap::new();
    let known: Vec<_> = candidates
        .iter()
        .map(|candidate| {
            let name = &config.providers[candidate.provider].name;
            // The same model may be listed again, to be asked with other parameters.
            let times = listed.entry(Arc::as_ptr(&candidate.state)).or_default();
            let again = if *times == 0 { String::new() } else { format!("#{times}") };
            *times += 1;
            policy::Candidate {
                weight: f64::from(candidate.weight),
                ewma_ms: candidate.state.ewma_ms(now),
                in_flight: candidate.state.in_flight(),
                failing: candidate.state.is_failing(now),
                id_hash: policy::hash(&format!("{name}/{}{again}", candidate.model)),
            }
        })
        .collect();
    let order = policy::order(policy, &known, sticky, &mut table.rng());
    let mut candidates: Vec<_> = candidates.into_iter().map(Some).collect();
    order.into_iter().filter_map(|i| candidates[i].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a request for `model` goes under a configuration: its targets, or the error's kind.
    fn goes(config: &str, model: Option<&str>, options: &str) -> String {
        let config = Config::parse(config.as_bytes()).unwrap();
        let request = Request { model: model.map(str::to_owned), ..Request::default() };
        let options = Options::parse(options.as_bytes()).unwrap();
        let table = Table::new(&config, 0);
        match resolve(&config, &table, &request, &options, None) {
            Ok(choice) => {
                let names = choice.candidates.iter();
                let names: Vec<_> = names
                    .map(|c| format!("{}/{}", config.providers[c.provider].name, c.model))
                    .collect();
                names.join(" ")
            }
            Err(error) => error.kind().name().to_owned(),
        }
    }

    #[test]
    fn requests_find_their_provider() {
        assert_eq!(goes("{}", Some("openai/gpt"), "{}"), "openai/gpt");
        assert_eq!(goes("{}", Some("openrouter/meta/llama"), "{}"), "openrouter/meta/llama");
        let openrouter = r#"{"provider": "openrouter"}"#;
        assert_eq!(goes("{}", Some("meta/llama"), openrouter), "openrouter/meta/llama");
        assert_eq!(goes("{}", Some("gpt"), "{}"), "not_found");
        assert_eq!(goes("{}", Some("gpt"), r#"{"provider": "opnai"}"#), "not_found");
        assert_eq!(goes("{}", None, r#"{"provider": "openai"}"#), "invalid_request");
        let model = r#"{"default_model": "anthropic/claude"}"#;
        assert_eq!(goes(model, None, "{}"), "anthropic/claude");
        assert_eq!(goes(model, Some("openai/gpt"), "{}"), "openai/gpt");
        let both = r#"{"default_provider": "openai", "default_model": "gpt"}"#;
        assert_eq!(goes(both, None, "{}"), "openai/gpt");
        assert_eq!(goes(both, Some("other"), "{}"), "openai/other");
    }

    #[test]
    fn a_fan_out_has_no_fallback() {
        let (config, request) = (Config::parse(b"{}").unwrap(), Request::default());
        let table = Table::new(&config, 0);
        let resolved = |options: &[u8]| {
            let options = Options::parse(options).unwrap();
            resolve(&config, &table, &request, &options, Some("openai/gpt")).map(|_| ())
        };
        assert!(resolved(b"{}").is_ok());
        let error = resolved(br#"{"fallback": ["mistral/small"]}"#).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("options.fallback"));
    }

    #[test]
    fn routes_fallbacks_and_regions() {
        let config = r#"{
            "providers": {"openai": {"region": "us"}, "mistral": {"region": "eu"}},
            "routes": {"chat": {"targets": [
                "openai/gpt",
                {"target": "mistral/small"},
                {"target": "groq", "region": "eu"}
            ]}}
        }"#;
        // The last one has no model, and the request's is the route's name.
        assert_eq!(goes(config, Some("chat"), "{}"), "invalid_request");
        let given = r#"{"provider": "chat"}"#;
        assert_eq!(goes(config, Some("llama"), given), "openai/gpt mistral/small groq/llama");
        let eu = r#"{"provider": "chat", "region": "eu"}"#;
        assert_eq!(goes(config, Some("llama"), eu), "mistral/small groq/llama");
        let asia = r#"{"provider": "chat", "region": "asia"}"#;
        assert_eq!(goes(config, Some("llama"), asia), "unsupported");
        let fallback = r#"{"fallback": ["mistral/small", "cohere/command"]}"#;
        assert_eq!(
            goes(config, Some("openai/gpt"), fallback),
            "openai/gpt mistral/small cohere/command"
        );
        let eu = r#"{"fallback": ["mistral/small"], "region": "eu"}"#;
        assert_eq!(goes(config, Some("openai/gpt"), eu), "mistral/small");
        assert_eq!(goes(config, Some("openai/gpt"), r#"{"fallback": ["nobody/x"]}"#), "not_found");
    }
}
