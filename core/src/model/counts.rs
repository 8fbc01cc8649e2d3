//! What an answer used, in parts that do not overlap: what its cost is made of.
//!
//! A provider's usage object has parts inside parts: cached tokens are some of the prompt's, or stand
//! beside them. An adapter reads its own form into [`Counts`], in which each token stands once.

use crate::json::Number;

/// What is counted and has a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Unit {
    /// Tokens of the prompt that are nothing of what follows.
    Input,
    /// Tokens of the prompt that were read from the provider's cache.
    CacheRead,
    /// Tokens of the prompt that were written to the provider's cache.
    CacheWrite,
    /// The same, kept for an hour.
    CacheWrite1h,
    /// Tokens of audio in the prompt.
    InputAudio,
    /// Tokens of images in the prompt.
    InputImage,
    /// Tokens of videos in the prompt.
    InputVideo,
    /// Tokens of audio that were read from the cache.
    CacheReadAudio,
    /// Tokens of images that were read from the cache.
    CacheReadImage,
    /// Tokens of the answer that are nothing of what follows.
    Output,
    /// Tokens of reasoning.
    Reasoning,
    /// Tokens of spoken answers.
    OutputAudio,
    /// Tokens of images in the answer.
    OutputImage,
    /// Tokens of videos in the answer.
    OutputVideo,
    /// Searches of the web that the provider made.
    Searches,
    /// Searches of stored files that the provider made.
    FileSearches,
    /// Searches of a ranking.
    RerankSearches,
}

/// Where the price of a unit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What was sent.
    Input,
    /// What was answered.
    Output,
    /// Neither.
    Other,
}

impl Unit {
    /// Every unit, in the order of the table.
    pub const ALL: [Unit; 17] = [
        Unit::Input,
        Unit::CacheRead,
        Unit::CacheWrite,
        Unit::CacheWrite1h,
        Unit::InputAudio,
        Unit::InputImage,
        Unit::InputVideo,
        Unit::CacheReadAudio,
        Unit::CacheReadImage,
        Unit::Output,
        Unit::Reasoning,
        Unit::OutputAudio,
        Unit::OutputImage,
        Unit::OutputVideo,
        Unit::Searches,
        Unit::FileSearches,
        Unit::RerankSearches,
    ];

    /// Its name in the price table and in a configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Unit::Input => "input",
            Unit::CacheRead => "cache_read",
            Unit::CacheWrite => "cache_write",
            Unit::CacheWrite1h => "cache_write_1h",
            Unit::InputAudio => "input_audio",
            Unit::InputImage => "input_image",
            Unit::InputVideo => "input_video",
            Unit::CacheReadAudio => "cache_read_audio",
            Unit::CacheReadImage => "cache_read_image",
            Unit::Output => "output",
            Unit::Reasoning => "reasoning",
            Unit::OutputAudio => "output_audio",
            Unit::OutputImage => "output_image",
            Unit::OutputVideo => "output_video",
            Unit::Searches => "searches",
            Unit::FileSearches => "file_searches",
            Unit::RerankSearches => "rerank_searches",
        }
    }

    /// The unit of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|unit| unit.name() == name)
    }

    /// Whose price it has where it has none of its own, the nearest first.
    #[must_use]
    pub fn parents(self) -> &'static [Unit] {
        match self {
            Unit::CacheRead
            | Unit::CacheWrite
            | Unit::InputAudio
            | Unit::InputImage
            | Unit::InputVideo => &[Unit::Input],
            Unit::CacheWrite1h => &[Unit::CacheWrite, Unit::Input],
            Unit::CacheReadAudio => &[Unit::CacheRead, Unit::InputAudio, Unit::Input],
            Unit::CacheReadImage => &[Unit::CacheRead, Unit::InputImage, Unit::Input],
            Unit::Reasoning | Unit::OutputAudio | Unit::OutputImage | Unit::OutputVideo => {
                &[Unit::Output]
            }
            Unit::Input
            | Unit::Output
            | Unit::Searches
            | Unit::FileSearches
            | Unit::RerankSearches => &[],
        }
    }

    /// Where it counts.
    #[must_use]
    pub fn side(self) -> Side {
        match self {
            Unit::Searches | Unit::FileSearches | Unit::RerankSearches => Side::Other,
            unit if (unit as u8) < Unit::Output as u8 => Side::Input,
            _ => Side::Output,
        }
    }
}

/// How much of each unit was used. No token stands twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; Unit::ALL.len()]);

impl Counts {
    /// The count of a unit.
    #[must_use]
    pub fn get(&self, unit: Unit) -> u64 {
        self.0[unit as usize]
    }

    /// Sets the count of a unit.
    pub fn set(&mut self, unit: Unit, count: u64) {
        self.0[unit as usize] = count;
    }

    /// Adds to the count of a unit.
    pub fn add(&mut self, unit: Unit, count: u64) {
        self.set(unit, self.get(unit).saturating_add(count));
    }

    /// The units that were used, with their counts.
    pub fn used(&self) -> impl Iterator<Item = (Unit, u64)> + '_ {
        Unit::ALL.into_iter().map(|unit| (unit, self.get(unit))).filter(|(_, count)| *count > 0)
    }

    /// All tokens of the prompt, by which the tier of a price is chosen.
    #[must_use]
    pub fn all_input(&self) -> u64 {
        self.0[..Unit::Output as usize].iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Moves `count` from one unit to another, and says how many were missing.
    fn moved(&mut self, from: Unit, to: Unit, count: u64) -> u64 {
        let there = self.get(from).min(count);
        self.set(from, self.get(from) - there);
        self.add(to, there);
        count - there
    }
}

/// The parts of a prompt that holds them all.
#[derive(Clone, Copy, Debug, Default)]
pub struct PromptParts {
    /// Read from the cache.
    pub cached: u64,
    /// Written to the cache.
    pub written: u64,
    /// Of what was written, what is kept for an hour.
    pub written_1h: u64,
    /// Audio, cached or not.
    pub audio: u64,
    /// Images, cached or not.
    pub image: u64,
    /// Videos, cached or not.
    pub video: u64,
    /// The audio and the images that were read from the cache. `None` means that the answer does not
    /// say what of it was.
    pub cached_media: Option<[u64; 2]>,
}

/// How large a request is, for the most that it can cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// The bytes of its document, without those of pictures and sounds.
    pub bytes: u64,
    /// The number of messages, or of inputs.
    pub messages: u64,
    /// Whether it has tools.
    pub tools: bool,
    /// The number of pictures and files.
    pub pictures: u64,
    /// The number of sounds.
    pub sounds: u64,
    /// The most searches that a ranking counts as.
    pub searches: u64,
    /// The most tokens of all its answers together. `None`: it names no limit.
    pub answer: Option<u64>,
}

impl Size {
    /// How many tokens its prompt is likely to have: four bytes are one, and pictures and sounds have
    /// a usual number.
    #[must_use]
    pub fn likely_input(&self) -> u64 {
        const PICTURE: u64 = 1_600;
        const SOUND: u64 = 2_000;
        let media = self.pictures.saturating_mul(PICTURE);
        let media = media.saturating_add(self.sounds.saturating_mul(SOUND));
        (self.bytes / 4 + 1).saturating_add(media)
    }
}

/// What an answer says was used and billed.
#[derive(Clone, Debug, Default)]
pub struct Billed<'a> {
    /// What was used.
    pub counts: Counts,
    /// A part of the usage is larger than its whole.
    pub inconsistent: bool,
    /// A model that the answer does not name alone was asked, too, at a price of its own.
    pub another_model: bool,
    /// The tier of the service, as the answer says.
    pub service_tier: Option<&'a str>,
    /// How fast the answer was made, as it says (Anthropic's `fast`).
    pub speed: Option<&'a str>,
    /// What the provider says that it charges.
    pub charged: Option<Charged<'a>>,
}

/// What a provider says that it charges.
#[derive(Clone, Copy, Debug)]
pub enum Charged<'a> {
    /// In 10⁻¹⁰ USD (xAI).
    Ticks(u64),
    /// In USD (OpenRouter).
    Dollars(&'a Number),
}

impl Billed<'_> {
    /// Takes the parts out of a prompt of so many tokens. Where cached tokens and media overlap, and
    /// the answer does not say how, text counts as cached first.
    pub fn prompt(&mut self, all: u64, parts: PromptParts) {
        let counts = &mut self.counts;
        counts.set(Unit::Input, all);
        let mut missing = counts.moved(Unit::Input, Unit::InputAudio, parts.audio);
        missing += counts.moved(Unit::Input, Unit::InputImage, parts.image);
        missing += counts.moved(Unit::Input, Unit::InputVideo, parts.video);
        let mut cached = parts.cached;
        if let Some([audio, image]) = parts.cached_media {
            missing += counts.moved(Unit::InputAudio, Unit::CacheReadAudio, audio);
            missing += counts.moved(Unit::InputImage, Unit::CacheReadImage, image);
            cached = cached.saturating_sub(audio).saturating_sub(image);
        }
        for (from, to) in [
            (Unit::Input, Unit::CacheRead),
            (Unit::InputAudio, Unit::CacheReadAudio),
            (Unit::InputImage, Unit::CacheReadImage),
            (Unit::InputVideo, Unit::CacheRead),
        ] {
            cached = counts.moved(from, to, cached);
        }
        let mut written = parts.written;
        for from in [Unit::Input, Unit::InputAudio, Unit::InputImage, Unit::InputVideo] {
            written = counts.moved(from, Unit::CacheWrite, written);
        }
        missing += counts.moved(Unit::CacheWrite, Unit::CacheWrite1h, parts.written_1h);
        self.inconsistent |= missing + cached + written > 0;
    }

    /// Takes the parts out of an answer of so many tokens.
    pub fn answer(&mut self, all: u64, parts: [(Unit, u64); 4]) {
        self.counts.set(Unit::Output, all);
        for (unit, count) in parts {
            self.inconsistent |= self.counts.moved(Unit::Output, unit, count) > 0;
        }
    }
}
