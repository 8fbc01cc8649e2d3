//! The choice of a call's targets, in order, from the request and its options.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::policy;
use super::state::{ChosenTarget, TargetState};
use super::table::Table;
use crate::codec::did_you_mean;
use crate::config::{Config, RoutePolicy, RouteTarget, at, quoted, target, unknown_provider};
use crate::error::{Error, ErrorKind};
use crate::model::{Hedge, Options, RetryOverlay, Warning};

/// The targets of a call, and the settings of its route.
pub(crate) struct Choice {
    pub(crate) targets: Vec<ChosenTarget>,
    pub(crate) retry: Option<RetryOverlay>,
    pub(crate) hedge: Option<Hedge>,
    pub(crate) warnings: Vec<Warning>,
}

/// Chooses the targets of a request for `model`. `defaults` says whether the configuration's
/// default models apply; otherwise the request may do without a model. `to` is one target of a
/// fan-out, which replaces what the request names.
pub(crate) fn choose(
    config: &Config,
    table: &Table,
    model: Option<&str>,
    defaults: bool,
    options: &Options,
    to: Option<&str>,
) -> Result<Choice, Error> {
    if let Some((route, rest)) = route_and_model(config, model, options, to) {
        let options = Options { provider: Some(route.to_owned()), ..options.clone() };
        return choose(config, table, Some(rest), defaults, &options, to);
    }
    let mut listed = match asked(config, model, options, to) {
        Asked::Route(name) => of_route(config, &name, model)?,
        Asked::Target(found) => Listed { targets: vec![found?], ..Listed::default() },
    };
    let by_name = model.is_some_and(|model| config.route(model).is_some());
    // Targets without a model of their own take the request's model, unless the request's model
    // names a target.
    let model = match (to, &options.provider) {
        (Some(_), _) => None,
        (None, Some(_)) => model.map(str::to_owned),
        (None, None) if by_name => None,
        (None, None) => listed.targets[0].model.clone().or_else(|| model.map(str::to_owned)),
    };
    let mut own = listed.targets.len();
    add_fallbacks(config, options, to, &mut listed.targets)?;
    if let Some(region) = &options.region {
        own = keep_region(config, region, own, &mut listed.targets)?;
    }
    let chosen = |target| chosen(config, table, target, model.as_deref(), defaults);
    let mut targets = listed.targets.into_iter().map(chosen).collect::<Result<Vec<_>, _>>()?;
    if listed.policy != RoutePolicy::Priority && own > 1 {
        let sticky = options.sticky_key.as_deref();
        // Fallbacks come after all of these, whatever their weight or latency.
        let fallbacks = targets.split_off(own);
        targets = ordered(listed.policy, targets, sticky, table);
        targets.extend(fallbacks);
    }
    let Listed { retry, hedge, warnings, .. } = listed;
    Ok(Choice { targets, retry, hedge, warnings })
}

/// The parts of a model of the form `route/model`: the same as `options.provider` and the model.
fn route_and_model<'a>(
    config: &Config,
    model: Option<&'a str>,
    options: &Options,
    to: Option<&str>,
) -> Option<(&'a str, &'a str)> {
    let asked = model.filter(|asked| config.route(asked).is_none())?;
    let (name, rest) = asked.split_once('/')?;
    let named = options.provider.is_none() && to.is_none() && !rest.is_empty();
    (named && config.route(name).is_some()).then_some((name, rest))
}

/// The targets that a request names, before fallbacks, regions and the order.
#[derive(Default)]
struct Listed {
    policy: RoutePolicy,
    targets: Vec<RouteTarget>,
    retry: Option<RetryOverlay>,
    hedge: Option<Hedge>,
    warnings: Vec<Warning>,
}

/// The targets of a route.
fn of_route(config: &Config, name: &str, model: Option<&str>) -> Result<Listed, Error> {
    let Some(route) = config.route(name) else {
        return Err(config.unknown_name(name, "provider"));
    };
    let mut warnings = Vec::new();
    if let Some(model) = model.filter(|model| *model != name)
        && route.targets.iter().all(|target| target.model.is_some())
    {
        warnings.push(Warning {
            code: "routed",
            message: format!("the targets of the route {name} have their own models, not {model}"),
            param: Some("model".to_owned()),
        });
    }
    let targets = route.targets.clone();
    Ok(Listed { policy: route.policy, targets, retry: route.retry, hedge: route.hedge, warnings })
}

/// Adds the targets of `options.fallback`.
fn add_fallbacks(
    config: &Config,
    options: &Options,
    to: Option<&str>,
    targets: &mut Vec<RouteTarget>,
) -> Result<(), Error> {
    if to.is_some() && options.fallback.is_some() {
        let message = "options.fallback: a fan-out has its own targets; one of them may be a \
                       route, which has fallbacks";
        return Err(Error::invalid("options.fallback", message));
    }
    for (i, text) in options.fallback.iter().flatten().enumerate() {
        let (provider, model) = target(text, &config.providers)
            .map_err(|error| at(error, &format!("options.fallback[{i}]")))?;
        targets.push(plain(provider, model));
    }
    Ok(())
}

/// Keeps only the targets of this region. Returns how many of the first `own` remain.
fn keep_region(
    config: &Config,
    region: &String,
    own: usize,
    targets: &mut Vec<RouteTarget>,
) -> Result<usize, Error> {
    let is_there = |target: &RouteTarget| {
        let own = target.region.as_ref().or(config.providers[target.provider].region.as_ref());
        own == Some(region)
    };
    let own = targets[..own].iter().filter(|target| is_there(target)).count();
    targets.retain(is_there);
    if targets.is_empty() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "no target of this call is in the region that options.region asks for: give \
             providers or targets a region in the configuration, or ask for another",
        )
        .with(|e| e.param = Some("options.region".to_owned())));
    }
    Ok(own)
}

/// One target with its model and state. `model` is that of the request.
fn chosen(
    config: &Config,
    table: &Table,
    target: RouteTarget,
    model: Option<&str>,
    defaults: bool,
) -> Result<ChosenTarget, Error> {
    let settings = &config.providers[target.provider];
    let own = target.model.as_deref().or(model);
    let default = || settings.model.as_deref().or(config.default_model.as_deref());
    let model = if defaults { own.or_else(default) } else { own.or(Some("")) };
    let Some(model) = model else {
        let name = &settings.name;
        return Err(Error::invalid(
            "model",
            format!(
                "model is missing: give it in the request, or providers.{name}.model in the \
                 configuration"
            ),
        )
        .with(|e| e.provider = Some(name.to_string())));
    };
    let state = table.target(config, target.provider, model);
    let RouteTarget { provider, weight, parameters, .. } = target;
    Ok(ChosenTarget { provider, weight, parameters, state })
}

enum Asked {
    Route(String),
    Target(Result<RouteTarget, Error>),
}

/// What the request names: a route, or one target.
fn asked(config: &Config, model: Option<&str>, options: &Options, to: Option<&str>) -> Asked {
    let route = |name: &str| config.route(name).map(|route| Asked::Route(route.name.clone()));
    let found = |(provider, model)| Asked::Target(Ok(plain(provider, model)));
    let named = |name: &str| match config.find(name) {
        Some(provider) => found((provider, None)),
        None => Asked::Target(Err(config.unknown_name(name, "provider"))),
    };
    if let Some(to) = to {
        return route(to).unwrap_or_else(|| match target(to, &config.providers) {
            Ok(target) => found(target),
            Err(error) => Asked::Target(Err(at(error, "options.fanout.targets"))),
        });
    }
    if let Some(name) = &options.provider {
        return route(name).unwrap_or_else(|| named(name));
    }
    let asked = model;
    // Without a default provider, the default model names the provider, as a request's model does.
    let unrouted = config.default_provider.is_none();
    let asked = asked.or(config.default_model.as_deref().filter(|_| unrouted));
    if let Some(asked) = asked {
        if let Some(route) = route(asked) {
            return route;
        }
        if let Some((name, rest)) = asked.split_once('/')
            && let Some(provider) = config.find(name)
        {
            return found((provider, Some(rest.to_owned())));
        }
    }
    match &config.default_provider {
        Some(name) => route(name).unwrap_or_else(|| named(name)),
        None => Asked::Target(Err(no_provider(config, asked))),
    }
}

fn plain(provider: usize, model: Option<String>) -> RouteTarget {
    RouteTarget { provider, model, region: None, weight: 1, parameters: None }
}

/// The error for a request that names no provider.
fn no_provider(config: &Config, model: Option<&str>) -> Error {
    let why = match model.map(|model| (model, model.split_once('/'))) {
        Some((_, Some((name, _)))) => unknown_provider("provider", name, config.names()),
        Some((model, None)) => {
            let near = did_you_mean(model, config.names()).unwrap_or_default();
            let quoted = quoted(model).unwrap_or_else(|| "of this request".to_owned());
            format!("no provider is known for the model {quoted}{near}")
        }
        None => "no provider is known for this request".to_owned(),
    };
    let message = format!(
        "{why} (give options.provider, a model of the form provider/model, or a default_provider \
         in the configuration)"
    );
    Error::new(ErrorKind::NotFound, message).with(|e| e.param = Some("model".to_owned()))
}

/// The targets of a route in the order of its policy.
fn ordered(
    policy: RoutePolicy,
    targets: Vec<ChosenTarget>,
    sticky: Option<&str>,
    table: &Table,
) -> Vec<ChosenTarget> {
    let now = Instant::now();
    let mut listed: HashMap<*const TargetState, usize> = HashMap::new();
    let known: Vec<_> = targets
        .iter()
        .map(|target| {
            // A route may list a model again, with other parameters.
            let times = listed.entry(Arc::as_ptr(&target.state)).or_default();
            let again = if *times == 0 { String::new() } else { format!("#{times}") };
            *times += 1;
            policy::Score {
                weight: f64::from(target.weight),
                ewma_ms: target.state.ewma_ms(now),
                in_flight: target.state.in_flight(),
                failing: target.state.is_failing(now),
                id_hash: policy::hash(&format!("{}{again}", target.name())),
            }
        })
        .collect();
    let order = policy::order(policy, &known, sticky, &mut table.rng());
    let mut targets: Vec<_> = targets.into_iter().map(Some).collect();
    order.into_iter().filter_map(|i| targets[i].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The targets of a request for `model` under a configuration, or the error's kind.
    fn goes(config: &str, model: Option<&str>, options: &str) -> String {
        let config = Config::parse(config.as_bytes()).unwrap();
        let options = Options::parse(options.as_bytes()).unwrap();
        let table = Table::new(&config, 0);
        match choose(&config, &table, model, true, &options, None) {
            Ok(choice) => {
                let names: Vec<_> = choice.targets.iter().map(ChosenTarget::name).collect();
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
        let config = Config::parse(b"{}").unwrap();
        let table = Table::new(&config, 0);
        let resolved = |options: &[u8]| {
            let options = Options::parse(options).unwrap();
            choose(&config, &table, None, true, &options, Some("openai/gpt")).map(|_| ())
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
        // The last target has no model, and the request's model is the route's name.
        assert_eq!(goes(config, Some("chat"), "{}"), "invalid_request");
        let given = r#"{"provider": "chat"}"#;
        assert_eq!(goes(config, Some("llama"), given), "openai/gpt mistral/small groq/llama");
        assert_eq!(goes(config, Some("chat/llama"), "{}"), goes(config, Some("llama"), given));
        let slashed = goes(config, Some("chat/meta/llama"), "{}");
        assert_eq!(slashed, "openai/gpt mistral/small groq/meta/llama");
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
