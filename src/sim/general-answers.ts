import type { CorpusLanguage } from './corpus/model.ts';
import type { SeededRandom } from './seeded-random.ts';

interface Phrases {
  /** Words that say nothing about the topic; also how a language is recognised. */
  readonly stopWords: ReadonlySet<string>;
  readonly greeting: string;
  readonly thanks: string;
  readonly identity: string;
  readonly refusal: string;
  readonly openers: readonly string[];
  readonly bodies: readonly string[];
  readonly closers: readonly string[];
  /** Said of the values that a tool gave back. */
  readonly toolResult: string;
  /** What a talkative model says around an answer. */
  readonly small: { readonly opener: string; readonly closer: string };
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** What is said when the corpus knows no answer; `{topic}` is a few words of the question. */
export const PHRASES: Readonly<Record<CorpusLanguage, Phrases>> = {
  en: {
    stopWords: words(
      'the a an and or but of to in on at for with from by is are was were be been do does did how what why when where which who can could should would will may might must my your our their its it this that these those i you we they me us please explain describe tell give write make list summarise summarize compare show create about into as if not no yes than then so just some any there have has had use using need want help between does works work difference best way good',
    ),
    greeting: 'Hello! How can I help you today?',
    thanks: 'You are welcome. Just write again if anything else comes up.',
    identity:
      'I am a simulated model: my answers come from a small, seeded collection of texts, so that you can try everything here without a real provider.',
    refusal: 'I am sorry, but I cannot help with that request.',
    openers: [
      'On **{topic}**: what decides most is to know what a good result looks like before you start.',
      'On **{topic}** there are two sides to consider: what it has to do for the people who rely on it, and what it may cost you to keep it up.',
      'On **{topic}**: the usual way is to begin with the simplest version that works and to change one thing at a time.',
      'Questions about **{topic}** mostly come down to three points: the starting conditions, the limits, and who decides when they conflict.',
    ],
    bodies: [
      '1. Write down the current state in numbers, even rough ones.\n2. Pick the single change with the largest effect and the smallest risk.\n3. Try it on a small part first and compare after a week.\n4. Keep what helped, undo what did not, and note why.',
      '- **Before:** agree on the goal and on one figure that shows it.\n- **During:** keep the steps small enough to be undone.\n- **After:** look at the exceptions, not only at the average.',
      '| Option | Strength | Watch out for |\n| --- | --- | --- |\n| Do it by hand | Quick to start | Does not scale beyond a few cases a day |\n| Use what exists | Known behaviour | Limits that you cannot change |\n| Build it | Fits exactly | Needs an owner for years |',
      'In practice the first attempt shows where the real constraint is. It is rarely where people expect it, which is why a small trial is worth more than a long plan. Set a date to look at the result and decide beforehand what would make you stop.',
    ],
    closers: [
      'If you tell me more about your situation, I can make this more specific.',
      'A good first step for today: pick one recent example and walk through it from beginning to end.',
      'I would start with the second point; it is the one that people most often leave out.',
    ],
    toolResult: 'I looked it up:',
    small: {
      opener: 'Great question, thank you for asking!',
      closer: 'I hope this helps! Is there anything else that I can do for you today?',
    },
  },
  de: {
    stopWords: words(
      'der die das den dem des ein eine einen einem einer und oder aber von zu in an auf für mit aus bei ist sind war waren wie was warum wann wo welche welcher welches wer kann könnte soll sollte wird mein meine dein unser ihr ihre es dies diese dieser ich du wir sie mir uns bitte erkläre beschreibe sage gib schreibe mache nenne fasse vergleiche zeige erstelle über als wenn nicht nein ja dann so einige gibt hat haben brauche hilf zwischen funktioniert',
    ),
    greeting: 'Guten Tag! Wie kann ich Ihnen helfen?',
    thanks: 'Gern geschehen. Schreiben Sie einfach wieder, wenn noch etwas offen ist.',
    identity:
      'Ich bin ein simuliertes Modell: Meine Antworten stammen aus einer kleinen Sammlung von Texten, damit Sie alles ohne echten Anbieter ausprobieren können.',
    refusal: 'Es tut mir leid, dabei kann ich nicht helfen.',
    openers: [
      'Zum Thema **{topic}**: Entscheidend ist, dass vorher klar ist, woran man ein gutes Ergebnis erkennt.',
      'Zum Thema **{topic}**: Am besten beginnt man mit der einfachsten Lösung, die funktioniert, und ändert dann immer nur eine Sache.',
    ],
    bodies: [
      '1. Den heutigen Stand in Zahlen festhalten, auch wenn sie grob sind.\n2. Die Änderung mit der größten Wirkung und dem kleinsten Risiko wählen.\n3. Sie im Kleinen ausprobieren und nach einer Woche vergleichen.',
      '- **Vorher:** Ziel und Messgröße vereinbaren.\n- **Währenddessen:** kleine Schritte, die sich zurücknehmen lassen.\n- **Danach:** auf die Ausnahmen schauen, nicht nur auf den Durchschnitt.',
    ],
    closers: [
      'Wenn Sie mir mehr über Ihre Lage sagen, kann ich genauer werden.',
      'Für heute genügt ein Beispiel, das Sie von Anfang bis Ende durchgehen.',
    ],
    toolResult: 'Ich habe nachgesehen:',
    small: {
      opener: 'Eine sehr gute Frage, vielen Dank dafür!',
      closer: 'Ich hoffe, das hilft Ihnen weiter! Kann ich sonst noch etwas für Sie tun?',
    },
  },
  fr: {
    stopWords: words(
      'le la les un une des et ou mais de du à au aux en sur pour avec par est sont était comment que quoi pourquoi quand où quel quelle quels qui peut pourrait doit devrait sera mon ma mes ton votre vos notre nos leur ce cette ces je tu nous vous ils me merci explique décris dis donne écris fais liste résume compare montre crée comme si ne pas non oui alors avez avoir besoin aide entre fonctionne',
    ),
    greeting: 'Bonjour ! Comment puis-je vous aider ?',
    thanks: "Avec plaisir. N'hésitez pas à revenir si vous avez une autre question.",
    identity:
      "Je suis un modèle simulé : mes réponses viennent d'un petit recueil de textes, pour que vous puissiez tout essayer sans fournisseur réel.",
    refusal: 'Je suis désolé, je ne peux pas vous aider sur ce point.',
    openers: [
      "À propos de **{topic}** : l'essentiel est de savoir dès le départ à quoi ressemble un bon résultat.",
      'À propos de **{topic}** : mieux vaut commencer par la solution la plus simple et ne changer qu’une chose à la fois.',
    ],
    bodies: [
      '1. Notez la situation actuelle en chiffres, même approximatifs.\n2. Choisissez le changement le plus utile et le moins risqué.\n3. Essayez à petite échelle et comparez au bout d’une semaine.',
      "- **Avant :** fixez l'objectif et un chiffre pour le suivre.\n- **Pendant :** avancez par petites étapes réversibles.\n- **Après :** regardez les exceptions, pas seulement la moyenne.",
    ],
    closers: [
      "Si vous m'en dites un peu plus, je pourrai être plus précis.",
      "Pour aujourd'hui, prenez un exemple récent et suivez-le du début à la fin.",
    ],
    toolResult: "J'ai vérifié :",
    small: {
      opener: "Très bonne question, merci de l'avoir posée !",
      closer: "J'espère que cela vous aide ! Puis-je faire autre chose pour vous ?",
    },
  },
  es: {
    stopWords: words(
      'el la los las un una unos y o pero de del a al en sobre para con por es son era cómo como qué que por cuándo dónde cuál quién puede podría debe debería será mi mis tu su sus nuestro este esta estos yo nosotros ellos me gracias explica describe di da escribe haz lista resume compara muestra crea si no sí entonces tiene tener necesito ayuda entre funciona',
    ),
    greeting: '¡Hola! ¿En qué puedo ayudarle?',
    thanks: 'De nada. Escriba de nuevo si surge cualquier otra cosa.',
    identity:
      'Soy un modelo simulado: mis respuestas salen de una pequeña colección de textos, para que pueda probarlo todo sin un proveedor real.',
    refusal: 'Lo siento, no puedo ayudar con esa petición.',
    openers: [
      'Sobre **{topic}**: lo que más pesa es saber de antemano cómo se reconoce un buen resultado.',
      'Sobre **{topic}**: conviene empezar por la solución más sencilla y cambiar una sola cosa cada vez.',
    ],
    bodies: [
      '1. Anote la situación actual en cifras, aunque sean aproximadas.\n2. Elija el cambio con más efecto y menos riesgo.\n3. Pruébelo a pequeña escala y compare al cabo de una semana.',
      '- **Antes:** acuerde el objetivo y una cifra para seguirlo.\n- **Durante:** pasos pequeños que se puedan deshacer.\n- **Después:** mire las excepciones, no solo la media.',
    ],
    closers: ['Si me cuenta algo más, puedo concretar.', 'Para hoy basta con tomar un ejemplo reciente y recorrerlo de principio a fin.'],
    toolResult: 'Lo he comprobado:',
    small: {
      opener: '¡Muy buena pregunta, gracias por hacerla!',
      closer: 'Espero que le sirva de ayuda. ¿Puedo hacer algo más por usted?',
    },
  },
  pt: {
    stopWords: words(
      'o a os as um uma e ou mas de do da dos das em no na nos nas ao à com por para que é são está foi como onde quando qual quem porquê meu minha meus minhas seu sua nosso nossa este esta isto isso eu nós vocês você eles me lhe se não sim pode posso preciso tem ter obrigado obrigada explique descreva diga escreva faça mostre crie ajuda entre funciona sobre mais já ainda muito',
    ),
    greeting: 'Olá! Em que posso ajudar?',
    thanks: 'De nada. Escreva de novo se surgir mais alguma coisa.',
    identity:
      'Sou um modelo simulado: as minhas respostas vêm de uma pequena coleção de textos, para que possa experimentar tudo sem um fornecedor real.',
    refusal: 'Lamento, mas não posso ajudar com esse pedido.',
    openers: [
      'Sobre **{topic}**: o que mais pesa é saber de antemão como se reconhece um bom resultado.',
      'Sobre **{topic}**: convém começar pela solução mais simples e mudar uma só coisa de cada vez.',
    ],
    bodies: [
      '1. Registe a situação atual em números, mesmo aproximados.\n2. Escolha a mudança com mais efeito e menos risco.\n3. Experimente em pequena escala e compare ao fim de uma semana.',
      '- **Antes:** combine o objetivo e um número para o acompanhar.\n- **Durante:** passos pequenos que se possam desfazer.\n- **Depois:** olhe para as exceções, não só para a média.',
    ],
    closers: ['Se me contar um pouco mais, posso ser mais preciso.', 'Para hoje basta um exemplo recente, percorrido do princípio ao fim.'],
    toolResult: 'Já verifiquei:',
    small: { opener: 'Muito boa pergunta, obrigado por a fazer!', closer: 'Espero ter ajudado. Posso fazer mais alguma coisa por si?' },
  },
};

const LANGUAGES: readonly CorpusLanguage[] = ['en', 'de', 'fr', 'es', 'pt'];

/** The language with the most function words in the text; English when none is found. */
export function detectLanguage(text: string): CorpusLanguage {
  const found =
    text
      .slice(0, 2_000)
      .toLowerCase()
      .match(/\p{L}+/gu) ?? [];
  let best: CorpusLanguage = 'en';
  let bestCount = 0;
  for (const language of LANGUAGES) {
    const count = found.filter((word) => PHRASES[language].stopWords.has(word)).length;
    if (count > bestCount) [best, bestCount] = [language, count];
  }
  return best;
}

/** Function words that may stand inside a topic: "terms of payment", "Wahl der Kette". */
const CONNECTORS = words(
  'of for in the a an to from with der des die das den für mit de du la le les des pour à en el los las del para con',
);
const LONGEST_TOPIC_WORDS = 7;

/** A few words that a question is about: the first of its longest phrases without other function words, at most seven. */
export function topicOf(question: string, language: CorpusLanguage): string {
  const { stopWords } = PHRASES[language];
  let best: string[] = [];
  let bestCount = 0;
  for (const clause of question.slice(0, 600).split(/[.,;:!?\n()"“”«»¿¡]+/)) {
    let run: string[] = [];
    let count = 0;
    let bridge: string[] = [];
    for (const word of clause.match(/[\p{L}\p{N}][\p{L}\p{N}\-_/'’]*/gu) ?? []) {
      if (!stopWords.has(word.toLowerCase())) {
        run = run.length === 0 ? [word] : [...run, ...bridge, word];
        if (run.length > LONGEST_TOPIC_WORDS) break;
        count++;
        bridge = [];
        if (count > bestCount) [best, bestCount] = [run, count];
      } else if (run.length > 0 && CONNECTORS.has(word.toLowerCase())) bridge.push(word);
      else [run, count, bridge] = [[], 0, []];
    }
  }
  return best.length > 0
    ? best.join(' ')
    : { en: 'your question', de: 'Ihre Frage', fr: 'votre question', es: 'su pregunta', pt: 'a sua pergunta' }[language];
}

/** Greetings, thanks, "reply with the word OK", sums: what people type to see whether it works. Null when it is none of these. */
function smallTalk(question: string, language: CorpusLanguage): string | null {
  const text = question.trim();
  const echo =
    /^(?:please\s+)?(?:say|reply|respond|answer)\b(?:\s+(?:with|only|just|exactly|the|single|word|words|text))*[\s:]+["'“]?([^"'”\n]{1,80}?)["'”]?[.!]?$/i.exec(
      text,
    );
  if (echo?.[1] !== undefined) return echo[1];
  const sum = /(-?\d{1,9})\s*([+\-*×/])\s*(\d{1,9})\s*(?:=|\?|\.|$)/.exec(text);
  if (sum && text.length < 60) {
    const [left, right] = [Number(sum[1]), Number(sum[3])];
    const value = sum[2] === '+' ? left + right : sum[2] === '-' ? left - right : sum[2] === '/' ? left / right : left * right;
    return `${sum[1]} ${sum[2]} ${sum[3]} = ${value}`;
  }
  if (text.length > 60) return null;
  if (/\b(who|what) are you\b|\bwer bist du\b|\bqui es-tu\b|\bquién eres\b|\bquem és tu\b/i.test(text)) return PHRASES[language].identity;
  if (/^(thanks|thank you|danke|vielen dank|merci|gracias|obrigad[oa])\b/i.test(text)) return PHRASES[language].thanks;
  if (
    /^(?:(?:hi|hello|hey|ping|test|hallo|guten tag|moin|bonjour|salut|hola|buenos días|bom dia)\b|olá)[\s\p{P}]*\p{L}*[\s\p{P}]*$/iu.test(
      text,
    )
  )
    return PHRASES[language].greeting;
  return null;
}

/** An answer to a question that the corpus does not hold: about its topic, in its language, the same for the same random stream. */
export function generalAnswer(question: string, random: SeededRandom): string {
  const language = /^(hallo|guten tag|moin|danke)\b/i.test(question)
    ? 'de'
    : /^(bonjour|salut|merci)\b/i.test(question)
      ? 'fr'
      : /^(hola|gracias|buenos)\b/i.test(question)
        ? 'es'
        : /^(olá|bom dia|boa tarde|obrigad[oa])/i.test(question)
          ? 'pt'
          : detectLanguage(question);
  const known = smallTalk(question, language);
  if (known !== null) return known;
  const phrases = PHRASES[language];
  const opener = random.pick(phrases.openers).replace('{topic}', topicOf(question, language));
  return [opener, random.pick(phrases.bodies), random.pick(phrases.closers)].join('\n\n');
}
