/**
 * Functions that a statement of the console may call, by pattern and in lower case. All of them compute from their arguments; none reads a file, a
 * setting, a dictionary, a network or the server itself. What is not here is refused, so that a function of a later version is closed first.
 */
const FAMILIES: readonly string[] = [
  // Operators and what they are called inside.
  'plus|minus|multiply|divide|(?:int)?div(?:ide)?(?:orzero|ornull|decimal)?|(?:positive)?modulo(?:orzero|ornull)?|negate|abs|sign|gcd|lcm|least|greatest',
  '(?:not)?equals|less(?:orequals)?|greater(?:orequals)?|isnot?distinctfrom|isdistinctfrom|and|or|xor|not|between|exists|(?:not)?i?like|match',
  '(?:global)?(?:not)?(?:null)?in|globalnotin|notnullin|globalnullin|globalnotnullin',
  'if|multiif|case\\w*|transform|ifnull|nullif|coalesce|isnull|isnotnull|isnullable|iszeroornull|assumenotnull|tonullable|isnan|isfinite|isinfinite|ifnotfinite',
  'tuple\\w*|untuple|array|array[a-z_]\\w*|map|map[a-z_]\\w*|lambda|_?cast|accuratecast\\w*|materialize|identity|ignore|grouping',
  'empty|notempty|emptyarray\\w*|length\\w*|has|has(?:all|any|substr|subsequence\\w*|token\\w*|anytokens|alltokens)|searchany|searchall|indexof\\w*|countequal|range|bar',
  // Conversion.
  '(?:re)?interpretas\\w+|to(?:u?int|float|bfloat|decimal)\\d*\\w{0,9}|to(?:string|fixedstring|bool|uuid|ipv4|ipv6|typename|columntypename|lowcardinality|validutf8)\\w*',
  // Time.
  'to(?:date|time|year|month|quarter|week|day|hour|minute|second|millisecond|microsecond|nanosecond|monday|startof|lastdayof|yyyymm|unixtimestamp|interval|relative|iso|utc|days|modifiedjulian)\\w*',
  'now|now64|utctimestamp|today|yesterday|current_?(?:date|timestamp)|timeslots?|date_?(?:diff|trunc|add|sub|name|part)\\w*|timestamp_?(?:diff|add|sub)\\w*|age',
  '(?:add|subtract)(?:years|quarters|months|weeks|days|hours|minutes|seconds|milliseconds|microseconds|nanoseconds|interval|date|tupleofintervals)',
  'from(?:unixtimestamp|days|modifiedjulian|utc)\\w*|parse(?:date|timedelta)\\w*|format(?:datetime|readable)\\w*|make(?:date|time)\\w*|monthname|timezoneof\\w*|timezoneoffset',
  'year|quarter|month|week|day\\w*|hour|minute|second',
  // Text.
  'lower\\w*|upper\\w*|[lu]case|initcap\\w*|reverse(?:utf8)?|concat\\w*|substr\\w*|mid|left|right|(?:left|right)utf8|[lr]pad|(?:left|right)pad\\w*|trim\\w*|[lr]trim|repeat|space',
  'replace\\w*|translate\\w*|splitby\\w+|alphatokens|tokens|ngrams\\w*|extract\\w*|regexp(?:extract|replace|quotemeta)\\w*|position\\w*|locate|instr|multisearch\\w+|multimatch\\w+',
  'countsubstrings\\w*|countmatches\\w*|(?:starts|ends)with\\w*|format|base(?:58|64)\\w*|try(?:base58|base64)\\w*|hex|unhex|bin|unbin|char|ascii|ord|isvalidutf8|string\\w+|soundex',
  '(?:damerau)?levenshtein\\w*|editdistance\\w*|jaro\\w*|ngramdistance\\w*|ngramsearch\\w*|appendtrailingcharifabsent|encodeurl\\w*|decodeurl\\w*|domain\\w*|protocol|pathfull|cutquerystring',
  'json\\w*|simplejson\\w*|visitparam\\w*|isvalidjson|tojsonstring',
  // Numbers.
  'round\\w*|floor|ceil(?:ing)?|trunc(?:ate)?|sqrt|cbrt|exp\\d*|log\\w{0,4}|ln|pow(?:er)?|a?(?:sin|cos|tan)h?|atan2|hypot|pi|e|erfc?|lgamma|tgamma|degrees|radians|sigmoid|factorial|width_?bucket|bit[a-z]\\w*|rand\\w*|l[12p]\\w*norm\\w*|l[12p]\\w*distance|cosinedistance|dotproduct',
  'cityhash64|sip?hash\\w+|xxh\\w+|md[45]|sha\\d\\w*|halfmd5|murmurhash\\w+|farm\\w+|metrohash64|blake3|crc\\w+|wyhash64|inthash\\w+',
  // Aggregates with all combinators, states, windows.
  'count\\w{0,24}|sum\\w*|avg\\w*|min\\w*|max\\w*|arg(?:min|max)\\w*|any\\w*|uniq\\w*|quantiles?\\w*|median\\w*|group(?:uniq)?array\\w*|group(?:bit|concat)\\w*|topk\\w*',
  'std\\w*|var(?:pop|samp|iance)\\w*|covar\\w*|corr\\w*|skew\\w*|kurt\\w*|entropy\\w*|histogram\\w*|simplelinearregression\\w*|windowfunnel|retention|sequence(?:match|count)\\w*|deltasum(?:timestamp)?|exponential\\w+|boundingratio|mannwhitneyutest|studentttest|welchttest|kolmogorovsmirnovtest|cramersv\\w*|contingency|theilsu|rankcorr|approx\\w+',
  'finalizeaggregation|initializeaggregation|runningaccumulate|runningdifference\\w*|row_?number|dense_?rank|percent_?rank|rank|cume_?dist|ntile|lag\\w*|lead\\w*|(?:first|last|nth)_?value\\w*|nonnegativederivative|rownumberin(?:all)?blocks?',
];
const ALLOWED = new RegExp(`^(?:${FAMILIES.join('|')})$`);

/** What may stand where a table does: tables made of numbers, and of what the statement itself holds. */
const TABLE_FUNCTIONS = /^(?:numbers|generate_?series|values)$/;

export function isAllowedTableFunction(name: string): boolean {
  return TABLE_FUNCTIONS.test(name.toLowerCase());
}

export function isAllowedFunction(name: string): boolean {
  return ALLOWED.test(name.toLowerCase());
}
