//! Where keys come from.

use liter_llm_core::config::Environment;
use liter_llm_core::{Config, ErrorKind};
use serde_json::json;

use crate::fake::{ANSWER, Fake, File, KEYS, call, canaries, client, document, failure};

#[tokio::test]
async fn keys_of_the_environment_sign_what_arrives() {
    let bedrock = Fake::saying(ANSWER);
    let entry =
        json!({"base_url": format!("{}/front", bedrock.url), "query": {"b": "x/y", "a": ""}});
    let keys = json!({"AWS_ACCESS_KEY_ID": "AKID1", "AWS_SECRET_ACCESS_KEY": "secret-1",
        "AWS_SESSION_TOKEN": "token-1"});
    assert_eq!(call(&client(entry, keys)).await.unwrap().text(), "Hi");
    let [ask] = &bedrock.asked()[..] else { panic!() };
    assert_eq!(ask.signed_with("secret-1"), "AKID1");
    let path = "/front/model/eu.amazon.nova-lite-v1%3A0/converse?";
    assert!(ask.target.starts_with(path), "{}", ask.target);
    assert_eq!(ask.header("x-amz-security-token"), "token-1");
    let scope = "/eu-central-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-";
    assert!(ask.header("authorization").contains(scope), "{ask:?}");
}

#[tokio::test]
async fn keys_of_the_entry_come_before_those_of_the_environment() {
    let bedrock = Fake::saying(ANSWER);
    let aws = json!({"access_key_id": "AKID2", "secret_access_key": "env:MINE"});
    let entry = json!({"base_url": bedrock.url, "aws": aws});
    let variables = json!({"AWS_ACCESS_KEY_ID": "AKID1", "AWS_SECRET_ACCESS_KEY": "secret-1",
        "MINE": "secret-2", "AWS_BEARER_TOKEN_BEDROCK": "bearer"});
    call(&client(entry, variables)).await.unwrap();
    assert_eq!(bedrock.asked()[0].signed_with("secret-2"), "AKID2");
}

#[tokio::test]
async fn a_bearer_key_comes_before_keys_that_sign() {
    let bedrock = Fake::saying(ANSWER);
    let variables = json!({"AWS_ACCESS_KEY_ID": "AKID1", "AWS_SECRET_ACCESS_KEY": "secret-1",
        "AWS_BEARER_TOKEN_BEDROCK": "bearer"});
    call(&client(json!({"base_url": bedrock.url}), variables)).await.unwrap();
    assert_eq!(bedrock.asked()[0].header("authorization"), "Bearer bearer");
}

#[tokio::test]
async fn keys_of_a_profile() {
    let file = File::new(
        "profiles",
        "[default]\naws_access_key_id = AKID3\naws_secret_access_key = secret-3\n\
         [work]\naws_access_key_id = AKID4\naws_secret_access_key = secret-4\n",
    );
    let bedrock = Fake::saying(ANSWER);
    let variables = json!({"AWS_SHARED_CREDENTIALS_FILE": file.0});
    call(&client(json!({"base_url": bedrock.url}), variables.clone())).await.unwrap();
    let work = json!({"base_url": bedrock.url, "aws": {"profile": "work"}});
    call(&client(work, variables.clone())).await.unwrap();
    let asked = bedrock.asked();
    assert_eq!(asked[0].signed_with("secret-3"), "AKID3");
    assert_eq!(asked[1].signed_with("secret-4"), "AKID4");
    let missing = json!({"base_url": bedrock.url, "aws": {"profile": "play"}});
    let error = failure(&client(missing, variables)).await;
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(error.message.contains("the profile play"), "{}", error.message);
    assert_eq!(bedrock.asked().len(), 2);
}

#[tokio::test]
async fn keys_of_a_container() {
    let bedrock = Fake::saying(ANSWER);
    let server = Fake::new(|_, ask| match ask.header("authorization") {
        "container-token" => (200, String::new(), document("ASIAC")),
        _ => (403, String::new(), String::new()),
    });
    let file = File::new("container", "container-token\n");
    let url = format!("{}/v2/credentials?x=1", server.url);
    let variables = json!({"AWS_CONTAINER_CREDENTIALS_FULL_URI": url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file.0});
    call(&client(json!({"base_url": bedrock.url}), variables)).await.unwrap();
    assert_eq!(bedrock.asked()[0].signed_with("secret-of-server"), "ASIAC");
    assert_eq!(server.asked()[0].target, "/v2/credentials?x=1");
    let variables = json!({"AWS_CONTAINER_CREDENTIALS_FULL_URI": url});
    let error = failure(&client(json!({"base_url": bedrock.url}), variables)).await;
    assert!(error.message.contains("status 403"), "{}", error.message);
    // A token of this machine does not go to another one in the open.
    let variables = json!({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/x"});
    let error = failure(&client(json!({"base_url": bedrock.url}), variables)).await;
    assert!(error.message.contains("must be https"), "{}", error.message);
    // It is a path, and no further part of the host.
    for path in [".evil.example/x", ":80/x", "@evil.example/x"] {
        let variables = json!({ "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": path });
        let error = failure(&client(json!({"base_url": bedrock.url}), variables)).await;
        assert!(error.message.contains("must begin with /"), "{}", error.message);
    }
    assert_eq!(bedrock.asked().len(), 1);
}

#[tokio::test]
async fn keys_of_a_machine() {
    let bedrock = Fake::saying(ANSWER);
    let roles = "/latest/meta-data/iam/security-credentials/";
    let server = Fake::new(move |_, ask| {
        let said = |body: &str| (200, String::new(), body.to_owned());
        match (ask.method.as_str(), ask.target.strip_prefix(roles)) {
            ("PUT", None) if ask.target == "/latest/api/token" => said("machine-token"),
            _ if ask.header("x-aws-ec2-metadata-token") != "machine-token" => {
                (401, String::new(), String::new())
            }
            ("GET", Some("")) => said("my-role\n"),
            ("GET", Some("my-role")) => said(&document("ASIAM")),
            _ => (404, String::new(), String::new()),
        }
    });
    let variables = |url: &str| json!({"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": url});
    let entry = json!({"base_url": bedrock.url});
    call(&client(entry.clone(), variables(&server.url))).await.unwrap();
    assert_eq!(bedrock.asked()[0].signed_with("secret-of-server"), "ASIAM");
    assert_eq!(server.asked()[0].header("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
    // No server at all, and one without a role: there are no credentials.
    let none = Fake::new(|_, ask| match ask.method.as_str() {
        "PUT" => (200, String::new(), "t".to_owned()),
        _ => (404, String::new(), String::new()),
    });
    for url in [none.url.as_str(), "http://127.0.0.1:1"] {
        let error = failure(&client(entry.clone(), variables(url))).await;
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert!(error.message.contains("AWS_ACCESS_KEY_ID"), "{}", error.message);
        assert!(error.message.contains("metadata server"), "{}", error.message);
    }
    assert_eq!(bedrock.asked().len(), 1);
}

#[tokio::test]
async fn settings_that_contradict_each_other() {
    for (entry, param) in [
        (json!({"api_key": "k", "aws": {"profile": "x"}}), "providers.bedrock.aws"),
        (json!({"aws": {}}), "providers.bedrock.aws"),
        (json!({"aws": {"profile": "x"}, "auth": {"header": "x-key"}}), "providers.bedrock.aws"),
        (
            json!({"aws": {"profile": "x"}, "headers": {"X-Amz-Date": "now"}}),
            "providers.bedrock.headers.x-amz-date",
        ),
        (
            json!({"headers": {"authorization": "Bearer x"}}),
            "providers.bedrock.headers.authorization",
        ),
        (json!({"aws": {"access_key_id": "a"}}), "providers.bedrock.aws"),
        (
            json!({"aws": {"access_key_id": "a", "secret_access_key": "b", "profile": "c"}}),
            "providers.bedrock.aws",
        ),
        (json!({"aws": {"key": "a"}}), "providers.bedrock.aws.key"),
    ] {
        let mut own = json!({"region": "eu-west-1"});
        own.as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
        let config = json!({"providers": {"bedrock": own}}).to_string();
        let environment = Environment::parse(br#"{"HOME":"/nowhere"}"#).unwrap();
        let error = Config::parse_in(config.as_bytes(), &environment).unwrap_err();
        assert_eq!(error.param.as_deref(), Some(param), "{}", error.message);
    }
    let other = br#"{"providers":{"openai":{"aws":{"profile":"x"}}}}"#;
    let error = Config::parse_in(other, &Environment::parse(b"{}").unwrap()).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("providers.openai.aws"));
}

#[tokio::test]
async fn a_bearer_key_of_nothing_is_none() {
    let bedrock = Fake::saying(ANSWER);
    for nothing in ["", "  "] {
        let mut variables = canaries();
        variables["AWS_BEARER_TOKEN_BEDROCK"] = nothing.into();
        call(&client(json!({"base_url": bedrock.url}), variables)).await.unwrap();
    }
    assert!(bedrock.asked().iter().all(|ask| ask.signed_with(KEYS[1]) == KEYS[0]));
    assert_eq!(bedrock.asked().len(), 2);
}

#[tokio::test]
async fn a_variable_that_is_not_there_is_named_and_no_other_member() {
    let aws = json!({"access_key_id": "AKID", "secret_access_key": "env:MINE"});
    let entry = json!({"base_url": "http://127.0.0.1:1", "aws": aws});
    for (variables, words) in [
        (json!({}), "the environment variable MINE is not set"),
        (json!({"MINE": ""}), "the environment variable MINE is set to nothing"),
    ] {
        let error = failure(&client(entry.clone(), variables)).await;
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert!(error.message.contains(words), "{}", error.message);
        assert!(!error.message.contains("api_key"), "{}", error.message);
    }
}

/// A header of a call that would replace one of the signature is refused. Without a signature it is
/// a header as any other.
#[tokio::test]
async fn no_header_of_a_call_replaces_one_of_the_signature() {
    let bedrock = Fake::saying(ANSWER);
    let entry = json!({"base_url": bedrock.url});
    let request = br#"{"model":"m","prompt":"q"}"#;
    for name in ["authorization", "x-amz-date", "X-Amz-Security-Token"] {
        let options = json!({"provider": "bedrock", "headers": {name: "canary"}}).to_string();
        let signed = client(entry.clone(), canaries());
        let error = signed.call(request, options.as_bytes()).await.unwrap_err();
        let param = format!("options.headers.{}", name.to_ascii_lowercase());
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert_eq!(error.param.as_deref(), Some(&*param), "{}", error.message);
        let said = error.message.contains("signed") || name == "authorization";
        assert!(said, "{}", error.message);
    }
    assert!(bedrock.asked().is_empty());
    let options = json!({"provider": "bedrock", "headers": {"x-amz-date": "mine"}}).to_string();
    let bearer = client(entry, json!({"AWS_BEARER_TOKEN_BEDROCK": "bearer"}));
    bearer.call(request, options.as_bytes()).await.unwrap();
    assert_eq!(bedrock.asked()[0].header("x-amz-date"), "mine");
}

/// A reference to a file may lead anywhere. What is no file is a clear error, and nobody waits for
/// it.
#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_is_an_error_at_once() {
    let folder = std::env::temp_dir();
    let pipe = folder.join(format!("liter-aws-{}-pipe", std::process::id()));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (bedrock, server) = (Fake::saying(ANSWER), Fake::saying(&document("ASIAC")));
    for place in [pipe.as_path(), folder.as_path(), std::path::Path::new("/dev/zero")] {
        for variables in [
            json!({"AWS_SHARED_CREDENTIALS_FILE": place}),
            json!({"AWS_CONFIG_FILE": place}),
            json!({"AWS_WEB_IDENTITY_TOKEN_FILE": place, "AWS_ROLE_ARN": "r",
                "AWS_ENDPOINT_URL_STS": server.url}),
            json!({"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": place,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url}),
        ] {
            let began = std::time::Instant::now();
            let error = failure(&client(json!({"base_url": bedrock.url}), variables.clone())).await;
            assert!(began.elapsed().as_secs() < 5, "{variables}");
            assert_eq!(error.kind(), ErrorKind::Authentication, "{variables}");
            let words = format!("cannot read {}: it is not a regular file", place.display());
            assert!(error.message.contains(&words), "{variables}: {}", error.message);
        }
    }
    std::fs::remove_file(&pipe).unwrap();
    assert!(bedrock.asked().is_empty() && server.asked().is_empty());
}
