import { seededRandom } from '../seeded-random.ts';
import type { CorpusLanguage, CorpusTurn } from './model.ts';

const STATUSES = ['processing', 'in_transit', 'out_for_delivery', 'delivered', 'backordered'] as const;
type OrderStatus = (typeof STATUSES)[number];
const CARRIERS = ['DHL', 'GLS', 'Posten'] as const;

interface Words {
  /** What an order is called. */
  readonly noun: RegExp;
  /** Words of someone who asks where it is. */
  readonly asks: RegExp;
  readonly days: readonly [string, string, string, string, string];
  readonly says: Readonly<Record<OrderStatus, string>>;
}

/** `{id}`, `{carrier}` and `{day}` stand for the values of one order. */
const WORDS: Readonly<Record<CorpusLanguage, Words>> = {
  en: {
    noun: /\b(order|parcel|package|delivery|shipment)\b/i,
    asks: /\b(where|when|status|track\w*|arriv\w*|late|missing|shipped|update)\b/i,
    days: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'],
    says: {
      processing:
        'Order **{id}** is being packed and leaves our warehouse on **{day}**. You get a mail with the tracking link as soon as it is scanned.',
      in_transit:
        'Order **{id}** is on its way with {carrier} and should be with you on **{day}**. The tracking link is in your shipping mail.',
      out_for_delivery: 'Good news: order **{id}** is out for delivery with {carrier} and arrives **today**.',
      delivered:
        'Order **{id}** was delivered by {carrier} on **{day}**. If you cannot find it, ask your neighbours first; if nobody has it, I open a trace.',
      backordered:
        'One item of order **{id}** is out of stock and comes in on **{day}**; we ship on the same day. If that is too late, I can cancel it at no cost.',
    },
  },
  de: {
    noun: /\b(bestellung|paket|lieferung|sendung)\b/i,
    asks: /\b(wo|wann|status|bleibt|unterwegs|angekommen|verschickt|verfolg\w*)\b/i,
    days: ['Montag', 'Dienstag', 'Mittwoch', 'Donnerstag', 'Freitag'],
    says: {
      processing:
        'Ihre Bestellung **{id}** wird gerade gepackt und verlässt am **{day}** unser Lager. Den Link zur Sendungsverfolgung bekommen Sie per Mail.',
      in_transit: 'Ihre Bestellung **{id}** ist mit {carrier} unterwegs und sollte am **{day}** bei Ihnen sein.',
      out_for_delivery: 'Gute Nachricht: Ihre Bestellung **{id}** ist bei {carrier} in Zustellung und kommt **heute** an.',
      delivered:
        'Ihre Bestellung **{id}** wurde am **{day}** von {carrier} zugestellt. Wenn Sie sie nicht finden, fragen Sie bitte erst bei den Nachbarn; sonst starte ich einen Nachforschungsauftrag.',
      backordered: 'Ein Artikel Ihrer Bestellung **{id}** ist nicht auf Lager und kommt am **{day}** herein; wir versenden am selben Tag.',
    },
  },
  fr: {
    noun: /\b(commande|colis|livraison)\b/i,
    asks: /(?:^|\s)(où|quand|statut|suivi|arriv\w*|en est)(?=\s|\?|$)/i,
    days: ['lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi'],
    says: {
      processing:
        'Votre commande **{id}** est en préparation et quitte notre entrepôt **{day}**. Le lien de suivi vous parviendra par mail.',
      in_transit: 'Votre commande **{id}** est en route avec {carrier} et devrait arriver **{day}**.',
      out_for_delivery: "Bonne nouvelle : votre commande **{id}** est en cours de livraison par {carrier} et arrive **aujourd'hui**.",
      delivered:
        'Votre commande **{id}** a été livrée par {carrier} **{day}**. Si vous ne la trouvez pas, demandez à vos voisins ; sinon, je lance une recherche.',
      backordered: 'Un article de la commande **{id}** est en rupture et revient **{day}** ; nous expédions le jour même.',
    },
  },
  es: {
    noun: /\b(pedido|paquete|envío)\b/i,
    asks: /(?:^|[\s¿])(dónde|cuándo|estado|seguimiento|lleg\w*)(?=\s|\?|$)/i,
    days: ['el lunes', 'el martes', 'el miércoles', 'el jueves', 'el viernes'],
    says: {
      processing:
        'Su pedido **{id}** se está preparando y sale de nuestro almacén **{day}**. Recibirá el enlace de seguimiento por correo.',
      in_transit: 'Su pedido **{id}** está en camino con {carrier} y debería llegar **{day}**.',
      out_for_delivery: 'Buenas noticias: su pedido **{id}** está en reparto con {carrier} y llega **hoy**.',
      delivered:
        'Su pedido **{id}** fue entregado por {carrier} **{day}**. Si no lo encuentra, pregunte primero a los vecinos; si no, abro una reclamación.',
      backordered: 'Un artículo del pedido **{id}** está agotado y entra **{day}**; lo enviamos el mismo día.',
    },
  },
  pt: {
    noun: /\b(encomenda|pedido|entrega|pacote)\b/i,
    asks: /(?:^|\s)(onde|quando|estado|rastre\w*|cheg\w*)(?=\s|\?|$)/i,
    days: ['na segunda-feira', 'na terça-feira', 'na quarta-feira', 'na quinta-feira', 'na sexta-feira'],
    says: {
      processing:
        'A sua encomenda **{id}** está a ser preparada e sai do nosso armazém **{day}**. Recebe a ligação de seguimento por e-mail.',
      in_transit: 'A sua encomenda **{id}** está a caminho com a {carrier} e deve chegar **{day}**.',
      out_for_delivery: 'Boas notícias: a sua encomenda **{id}** está em distribuição com a {carrier} e chega **hoje**.',
      delivered:
        'A sua encomenda **{id}** foi entregue pela {carrier} **{day}**. Se não a encontrar, pergunte primeiro aos vizinhos; senão, abro uma reclamação.',
      backordered: 'Um artigo da encomenda **{id}** está esgotado e chega **{day}**; enviamos no mesmo dia.',
    },
  },
};

const NUMBER = /\b(?:[A-Z]{1,4}-?)?\d{3,9}\b/;
/** Longer texts mention orders without asking for them. */
const LONGEST_QUESTION = 300;

function say(
  language: CorpusLanguage,
  status: OrderStatus,
  values: { readonly id: string; readonly carrier: string; readonly day: string },
): string {
  return WORDS[language].says[status].replace('{id}', values.id).replace('{carrier}', values.carrier).replace('{day}', values.day);
}

/**
 * Where any order is: the same number has the same status at all times.
 * @returns null when the text does not ask where a numbered order is
 */
export function orderTurn(question: string, language: CorpusLanguage): CorpusTurn | null {
  if (question.length > LONGEST_QUESTION) return null;
  const words = WORDS[language];
  const id = NUMBER.exec(question)?.[0];
  if (id === undefined || !words.noun.test(question) || !words.asks.test(question)) return null;
  const random = seededRandom('order', id.replace(/\D/g, ''));
  const status = random.pick(STATUSES);
  const carrier = random.pick(CARRIERS);
  const at = random.integer(words.days.length);
  const result = { order_id: id, status, carrier, day: WORDS.en.days[at] ?? 'Monday' };
  return {
    question,
    tools: [{ name: 'get_order_status', arguments: { order_id: id }, result }],
    isMade: true,
    answer: say(language, status, { id, carrier, day: words.days[at] ?? '' }),
  };
}
