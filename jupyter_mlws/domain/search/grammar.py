"""The language of run filters: MLflow's, and what fits into it. Reading takes time linear in the length of the text.

Keywords may be written in any case. In EBNF:

```
filter     = [ either ] ;                                         an empty filter matches every run
either     = both , { "OR" , both } ;
both       = negation , { "AND" , negation } ;
negation   = [ "NOT" ] , negation | "(" , either , ")" | term ;
term       = field , ( comparator , value
                     | [ "NOT" ] , ( "LIKE" | "ILIKE" ) , string
                     | [ "NOT" ] , "IN" , "(" , value , { "," , value } , [ "," ] , ")"
                     | [ "NOT" ] , "BETWEEN" , value , "AND" , value
                     | "IS" , [ "NOT" ] , "NULL" ) ;
comparator = "=" | "!=" | ">" | ">=" | "<" | "<=" ;
field      = entity , "." , key , [ "." , aggregate ]             no space around the dots
           | attribute ;                                          bare, or in backticks or double quotes
entity     = "metric" | "metrics" | "param" | "params" | "parameter" | "parameters" | "tag" | "tags"
           | "attribute" | "attributes" | "attr" | "run" | "dataset" | "datasets" ;
key        = { letter | digit | "_" | "." | "-" | "/" | ":" | "@" }-
           | "`" , { any } , "`" | '"' , { any } , '"' ;          a doubled quote stands for itself
aggregate  = "last" | "min" | "max" | "best" ;                    metrics only
value      = number | string ;
string     = "'" , { any } , "'" | '"' , { any } , '"' ;          a doubled quote stands for itself
number     = [ sign ] , ( digits , [ "." , { digit } ] | "." , digits ) , [ ( "e" | "E" ) , [ sign ] , digits ]
           | [ sign ] , ( "inf" | "infinity" | "nan" ) ;
```

A last part `.last`, `.min`, `.max` or `.best` of an unquoted metric key is an aggregate: `metrics.loss.min` is the least value of
`loss`, and the metric of the name `loss.min` is written metrics.`loss.min`. `metrics.max` is the metric `max`.

What may be compared with what, predicates.py checks: metrics with numbers, by all comparators, IN and BETWEEN; params, tags,
datasets and attributes of text with strings, by `=`, `!=`, LIKE, ILIKE and IN; times and durations, as metrics, with milliseconds
or with strings such as '2026-01-31' and '90s'. IS NULL goes with all but datasets.
"""

from __future__ import annotations

from jupyter_mlws.domain.search.attributes import DATASET_KEYS, RUNS, Vocabulary, nearest
from jupyter_mlws.domain.search.errors import FilterSyntax, FilterTooLarge
from jupyter_mlws.domain.search.nodes import Aggregate, And, Between, Entity, Field, Filter, InList, IsNull, Not, Operator, Or
from jupyter_mlws.domain.search.predicates import Predicate
from jupyter_mlws.domain.search.tokens import Token, Tokenizer, TokenKind

MAX_DEPTH = 64
"""Parentheses and NOTs in one another."""
MAX_TERMS = 200
MAX_VALUES = 5_000
"""Values in all IN lists together."""

_KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "BETWEEN"})
_COMPARATORS = "one of = != > >= < <= LIKE, ILIKE, IN, BETWEEN, IS NULL"
_AGGREGATES = frozenset(aggregate.value for aggregate in Aggregate)


def parse_filter(text: str | None, vocabulary: Vocabulary = RUNS) -> Filter | None:
    """The tree of a filter; None for an empty one, which matches every run (or other record, as the vocabulary says).

    Raises FilterSyntax, with the place, for whatever is not of the language.
    """
    return None if text is None else _Parser(text, vocabulary).filter()


class FieldReader:
    """Reads fields; filters and orders share it."""

    def __init__(self, text: str, vocabulary: Vocabulary, error: type[FilterSyntax] = FilterSyntax) -> None:
        self.tokens = Tokenizer(text, error)
        self.vocabulary = vocabulary
        self.token: Token = self.tokens.next()

    def advance(self) -> Token:
        """Goes to the next token; gives the one before it."""
        token, self.token = self.token, self.tokens.next()
        return token

    def at(self, kind: TokenKind) -> bool:
        """Whether a token of this kind stands here."""
        return self.token.kind is kind

    def keyword(self) -> str:
        """The keyword that stands here, in capitals; empty if it is none."""
        if not self.at(TokenKind.WORD):
            return ""
        word = self.token.text.upper()
        return word if word in _KEYWORDS else ""

    def expected(self, what: str) -> FilterSyntax:
        """The error that `what` was expected here."""
        found = "the text ends" if self.at(TokenKind.END) else f"found {self._shown()}"
        return self.tokens.fail(f"Expected {what}; {found}", self.token.position)

    def _shown(self) -> str:
        if self.token.kind in (TokenKind.OPEN, TokenKind.CLOSE, TokenKind.COMMA):
            return str(self.token.kind.value)
        text = f"{self.token.entity}.{self.token.text}" if self.at(TokenKind.FIELD) else self.token.text
        shown = text if len(text) <= 40 else text[:40] + "…"
        return f"{self.token.kind.value} {shown!r}"

    def field(self) -> Field:
        """The field that stands here: `entity.key`, or a bare attribute."""
        token = self.token
        quoted_name = token.kind is TokenKind.NAME or (token.kind is TokenKind.STRING and token.quoted)
        if token.kind is TokenKind.FIELD:
            field = self._entity_field(token)
        elif quoted_name or (token.kind is TokenKind.WORD and not self.keyword()):
            field = Field(Entity.ATTRIBUTE, self._attribute(token.text, token.position))
        else:
            raise self.expected("a field such as metrics.accuracy, params.lr, tags.team or status")
        self.advance()
        return field

    def _entity_field(self, token: Token) -> Field:
        entities = self.vocabulary.entities
        entity = entities.get(token.entity.casefold())
        if entity is None:
            near = nearest(token.entity, entities)
            kinds = ", ".join(dict.fromkeys(entity.value for entity in entities.values()))
            hint = f"did you mean '{near}'?" if near else f"there are {kinds}"
            raise self.tokens.fail(f"There is no '{token.entity[:40]}.': {hint}", token.position)
        if entity is Entity.METRIC:
            return self._metric(token)
        if token.suffix is not None and token.suffix:
            at = token.key_position + len(token.text)
            raise self.tokens.fail("Put the whole key in quotes; only metrics take .last, .min, .max or .best after it", at)
        if entity is Entity.ATTRIBUTE:
            return Field(entity, self._attribute(token.text, token.key_position))
        if entity is Entity.DATASET and token.text not in DATASET_KEYS:
            raise self.tokens.fail("Datasets have a name, a digest and a context", token.key_position)
        return Field(entity, token.text)

    def _metric(self, token: Token) -> Field:
        key, suffix = token.text, token.suffix
        if suffix is None:
            base, dot, last = key.rpartition(".")
            key, suffix = (base, last) if dot and base and last in _AGGREGATES else (key, "")
        elif suffix and suffix not in _AGGREGATES:
            at = token.key_position + len(token.text)
            raise self.tokens.fail("After a quoted metric stands nothing, .last, .min, .max or .best", at)
        return Field(Entity.METRIC, key, Aggregate(suffix or "last"))

    def _attribute(self, written: str, position: int) -> str:
        name = self.vocabulary.attribute_name(written)
        if name is not None:
            return name
        attributes = self.vocabulary.attributes
        near = nearest(written.replace(" ", "_"), attributes)
        hint = f"did you mean '{near}'?" if near else "there are " + ", ".join(attributes)
        raise self.tokens.fail(f"{self.vocabulary.noun} have no attribute '{written[:40]}': {hint}", position)


class _Parser(FieldReader):
    """Recursive descent, one method a rule of the grammar; recursion is bounded by MAX_DEPTH."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        super().__init__(text, vocabulary)
        self._depth = 0
        self._terms = 0
        self._values = 0

    def filter(self) -> Filter | None:
        if self.at(TokenKind.END):
            return None
        tree = self._either()
        if not self.at(TokenKind.END):
            raise self.expected("AND, OR or the end of the filter")
        return tree

    def _either(self) -> Filter:
        terms = [self._both()]
        while self.keyword() == "OR":
            self.advance()
            terms.append(self._both())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def _both(self) -> Filter:
        terms = [self._negation()]
        while self.keyword() == "AND":
            self.advance()
            terms.append(self._negation())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _negation(self) -> Filter:
        negated = self.keyword() == "NOT"
        if not negated and not self.at(TokenKind.OPEN):
            return self._term()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._too_large(f"Parentheses and NOTs may stand {MAX_DEPTH} deep in one another")
        self.advance()
        if negated:
            tree: Filter = Not(self._negation())
        else:
            tree = self._either()
            if not self.at(TokenKind.CLOSE):
                raise self.expected("AND, OR or ')'")
            self.advance()
        self._depth -= 1
        return tree

    def _too_large(self, problem: str) -> FilterTooLarge:
        return FilterTooLarge(problem, text=self.tokens.text, position=self.token.position)

    def _term(self) -> Filter:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise self._too_large(f"A filter has at most {MAX_TERMS} terms")
        at = self.token.position
        predicate = Predicate(self.tokens, self.field(), at, self.vocabulary)
        position = self.token.position
        if self.at(TokenKind.OPERATOR):
            operator = Operator(self.advance().text)
            return predicate.comparison(operator, position, self._value())
        negated = self.keyword() == "NOT"
        if negated:
            self.advance()
        word = self.keyword()
        if word in ("LIKE", "ILIKE", "IN", "BETWEEN"):
            self.advance()
            if word == "IN":
                return self._in_list(predicate, position, negated)
            if word == "BETWEEN":
                return self._between(predicate, position, negated)
            operator = Operator(f"NOT {word}" if negated else word)
            return predicate.comparison(operator, position, self._value())
        if negated:
            raise self.expected("LIKE, ILIKE, IN or BETWEEN after NOT")
        if word == "IS":
            return self._is_null(predicate, position)
        raise self.expected(_COMPARATORS)

    def _value(self) -> Token:
        """The token of a value; which kinds of value may stand here, the predicate decides."""
        if self.token.kind in (TokenKind.STRING, TokenKind.NUMBER):
            return self.advance()
        if self.at(TokenKind.WORD) and self.token.text.casefold() in ("nan", "inf", "infinity"):
            word = self.advance()
            return Token(TokenKind.NUMBER, word.text, word.position)
        if self.vocabulary.bare_text and self.at(TokenKind.WORD) and not self.keyword():
            word = self.advance()
            return Token(TokenKind.STRING, word.text, word.position)
        if self.token.kind in (TokenKind.WORD, TokenKind.NAME, TokenKind.FIELD) and not self.keyword():
            raise self.expected("a number or a string in quotes, '…'")
        raise self.expected("a value")

    def _in_list(self, predicate: Predicate, position: int, negated: bool) -> InList:
        if not self.at(TokenKind.OPEN):
            raise self.expected("'(' and a list of values")
        found: list[Token] = []
        while not found or self.at(TokenKind.COMMA):
            self.advance()
            if found and self.at(TokenKind.CLOSE):
                break  # a comma after the last value, as in Python's tuples
            self._values += 1
            if self._values > MAX_VALUES:
                raise self._too_large(f"The lists of a filter have at most {MAX_VALUES:,} values together")
            found.append(self._value())
        if not self.at(TokenKind.CLOSE):
            raise self.expected("',' or ')'")
        self.advance()
        return InList(predicate.field, predicate.list_values(position, found), negated)

    def _between(self, predicate: Predicate, position: int, negated: bool) -> Between:
        low = self._value()
        if self.keyword() != "AND":
            raise self.expected("AND and the upper end")
        self.advance()
        first, second = predicate.ends(position, low, self._value())
        return Between(predicate.field, first, second, negated)

    def _is_null(self, predicate: Predicate, position: int) -> IsNull:
        self.advance()
        negated = self.keyword() == "NOT"
        if negated:
            self.advance()
        if self.keyword() != "NULL":
            raise self.expected("NULL" if negated else "NULL or NOT NULL")
        self.advance()
        predicate.check_null(position)
        return IsNull(predicate.field, negated)
