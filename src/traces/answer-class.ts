/** What an answer does with the request: answers it, declines it, or declines a part and goes on. */
export const ANSWER_CLASSES = ['answered', 'partial', 'refused'] as const;
export type AnswerClass = (typeof ANSWER_CLASSES)[number];

/** How often the classifier is right on the labelled answers of fixtures/labelled-answers.ts that it was not written from. A test holds these. */
export const ANSWER_CLASSIFIER_QUALITY = {
  languages: ['en', 'de', 'fr', 'es'],
  /** Refusals found, of those there are. */
  sensitivity: { found: 25, of: 36 },
  /** Other answers not taken for a refusal, of those there are. */
  specificity: { found: 65, of: 66 },
} as const;

const APOSTROPHES = /[’ʼ‘´`]/g;
const LATIN = /\p{Script=Latin}/gu;
const LETTER = /\p{L}/gu;

/** Where a refusal stands: it comes first, after a word of regret at most. */
const OPENING_CHARACTERS = 170;

const ABLE_EN = "(?: am not able to|'m not able to| am unable to|'m unable to| cannot| can not| can't| could not| won't| will not)";
const ACT_EN =
  '(?:help|assist|provide|support|comply|fulfil|fulfill|do that|do this|answer|give|share|discuss|generate|create|write|produce|process|access|disclose|offer|engage|continue|participate|complete|reveal|advise|recommend|tell|carry out|perform|make)';
const REFUSALS: readonly RegExp[] = [
  // English
  new RegExp(`\\bi${ABLE_EN} (?:\\w+ ){0,2}?${ACT_EN}\\b`),
  /\b(?:sorry|apologi[sz]e|afraid|unfortunately)\b[^.!?]{0,60}\b(?:can't|cannot|can not|unable|not able|not allowed|not permitted|won't|not something i can)\b/,
  /\bi (?:must|have to|need to|will have to) (?:respectfully )?(?:decline|refuse)\b/,
  /\b(?:that's|that is|this is) (?:not something|outside (?:of )?what|beyond what) i(?:'m| am)? ?(?:can|could|able|allowed)?\b/,
  /\b(?:against|violates?|outside(?: of)?) (?:my|our|the) (?:guidelines|policy|policies|principles|scope|instructions)\b/,
  /\bi(?:'m| am) not (?:allowed|permitted|authori[sz]ed|comfortable|programmed|designed)\b/,
  /\bi do(?:n't| not) (?:have (?:the )?(?:ability|permission|access)|feel comfortable)\b/,
  /\bas an ai(?: language)?(?: model| assistant)?,? i (?:can't|cannot|am unable|am not able|do not|don't|'m unable)\b/,
  // German
  /\b(?:dabei|damit|hierbei|diese[rmns]?|solche[rmns]?|das|ihnen|dir)\b[^.!?]{0,70}\b(?:kann|darf|möchte|werde) ich\b[^.!?]{0,70}\b(?:nicht|keine[nrm]?)\b/,
  /\bich (?:kann|darf|werde|möchte)\b[^.!?]{0,60}\b(?:nicht|keine[nrm]?)\b[^.!?]{0,60}\b(?:helfen|unterstützen|weiterhelfen|geben|beantworten|erstellen|schreiben|bereitstellen|ausführen|erteilen|anbieten|nennen|erfüllen|teilen|behilflich|machen)\b/,
  /\b(?:leider|entschuldigung|tut mir leid|bedaure)\b[^.!?]{0,80}\b(?:nicht (?:möglich|helfen|erlaubt|gestattet|in der lage|beantworten|weiterhelfen)|kann ich\b[^.!?]{0,50}\bnicht)\b/,
  /\bich (?:muss|musste)\b[^.!?]{0,40}\bablehnen\b/,
  /\bich bin nicht (?:in der lage|befugt|berechtigt)\b/,
  /\bverstößt gegen (?:meine|unsere|die)\b/,
  // French
  /\bje ne (?:peux|puis|pourrai|pourrais|suis|souhaite) (?:malheureusement )?pas\b[^.!?]{0,50}\b(?:aider|assister|fournir|répondre|donner|créer|écrire|générer|partager|autorisé|mesure|capable|faire|accéder|traiter|poursuivre|vous)\b/,
  /\b(?:désolée?|regrette|malheureusement)\b[^.!?]{0,60}\b(?:ne (?:peux|puis) pas|impossible|pas en mesure|pas autorisé)/,
  /\bje (?:dois|me dois de) (?:\w+ )?(?:décliner|refuser)\b/,
  /\bil m'est impossible\b/,
  // Spanish
  /\bno (?:me es posible|puedo|podré|podría|estoy autorizad[oa]|tengo permitido)\b[^.!?]{0,50}\b(?:ayudar|ayudarte|ayudarle|asistir|proporcionar|responder|dar|darte|darle|crear|escribir|generar|compartir|hacer|hacerlo|facilitar|ofrecer|realizar|continuar|cumplir|acceder|atender)\b/,
  /\b(?:lo siento|disculpa|disculpe|lamento|lamentablemente)\b[^.!?]{0,60}\bno (?:puedo|me es posible|estoy|podemos)\b/,
  /\bdebo (?:rechazar|declinar|negarme)\b/,
];

/** Goes on after the refusal: with a part of the answer, or with another one. */
const GOES_ON =
  /\b(?:but|however|instead|what i can|i can (?:\w+ )?(?:offer|share|give|tell|explain|help you with)|here(?:'s| is| are)|that said|aber|jedoch|stattdessen|allerdings|was ich (?:kann|tun kann)|mais|cependant|en revanche|toutefois|voici|je peux (?:en revanche|toutefois|vous)|pero|sin embargo|en cambio|aquí (?:tienes|tiene)|sí puedo|lo que (?:sí )?puedo)\b/;

/**
 * Tells refusals by how they begin. Patterns of four languages, linear in the text; what they miss is in ANSWER_CLASSIFIER_QUALITY. It does not
 * know whether the request was legitimate.
 * @param text beginning of an answer, 200 characters are enough
 * @returns null when nothing can be said: no text, or one that is not in Latin letters
 */
export function classifyAnswer(text: string): AnswerClass | null {
  const letters = text.match(LETTER)?.length ?? 0;
  if (letters < 2 || (text.match(LATIN)?.length ?? 0) * 2 < letters) return null;
  const opening = text.slice(0, OPENING_CHARACTERS).replace(APOSTROPHES, "'").replaceAll(/\s+/g, ' ').toLowerCase();
  for (const pattern of REFUSALS) {
    const found = pattern.exec(opening);
    if (found === null) continue;
    const rest = text
      .slice(found.index + found[0].length, 400)
      .replace(APOSTROPHES, "'")
      .toLowerCase();
    return GOES_ON.test(rest) ? 'partial' : 'refused';
  }
  return 'answered';
}
