"""From JSON Schemas to the packages' types: `tree` reads them, one module a language writes."""
