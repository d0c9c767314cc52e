/** A question that looks like another one and has another answer: what a cache must not confuse. */
export interface FaqTrap {
  readonly question: string;
  readonly answer: string;
  readonly facts: readonly string[];
  /** In what it differs from the entry that it stands with. */
  readonly differsBy: 'number' | 'negation' | 'name';
}

/** One question of the help centre in several wordings. */
export interface FaqEntry {
  readonly id: string;
  readonly question: string;
  /** The same question in other words; the same answer is right. */
  readonly paraphrases: readonly string[];
  readonly answer: string;
  /** Texts that a right answer contains. */
  readonly facts: readonly string[];
  readonly trap: FaqTrap;
}

/** The help centre of Tidemark Supply. */
export const FAQ: readonly FaqEntry[] = [
  {
    id: 'return-window',
    question: 'How many days do I have to send something back?',
    paraphrases: [
      'What is your return window?',
      'Until when can I return an article?',
      'I changed my mind. How long can I wait before I send it back?',
      'Is there a deadline for returns?',
    ],
    answer: 'You have **30 days** from the day it arrived, unworn and with its tags. Returns within the EU are free.',
    facts: ['30 days'],
    trap: {
      question: 'How many days do I have to send back a made-to-measure sail?',
      answer: 'None: made-to-measure sails are excluded from returns. If we cut it wrong, we make it again at our cost.',
      facts: ['excluded'],
      differsBy: 'name',
    },
  },
  {
    id: 'refund-time',
    question: 'When do I get my money back after a return?',
    paraphrases: [
      'How long does a refund take?',
      'My parcel is back with you. When will I be refunded?',
      'After how many days is the refund on my card?',
      'Refund: how long until I see it?',
    ],
    answer: 'We refund within **5 working days** after the parcel has arrived, to the card or account that you paid with.',
    facts: ['5 working days'],
    trap: {
      question: 'When do I not get my money back after a return?',
      answer: 'Not for rope that was cut to length, opened gas cartridges, and made-to-measure sails; everything else is refunded.',
      facts: ['cut to length'],
      differsBy: 'negation',
    },
  },
  {
    id: 'shipping-germany',
    question: 'How much is shipping to Germany?',
    paraphrases: [
      'What does delivery within Germany cost?',
      'Shipping costs Germany?',
      'What do I pay for postage to a German address?',
      'Is delivery to Germany free?',
    ],
    answer: 'Shipping to Germany is **4.90 EUR**, free above 60 EUR, and takes one to two working days.',
    facts: ['4.90'],
    trap: {
      question: 'How much is shipping to Austria?',
      answer: 'Shipping to Austria is **7.90 EUR**, free above 100 EUR, and takes two to three working days.',
      facts: ['7.90'],
      differsBy: 'name',
    },
  },
  {
    id: 'express',
    question: 'Until when must I order to get it tomorrow?',
    paraphrases: [
      'What is the cut-off for next-day delivery?',
      'I need it by tomorrow. How late can I order?',
      'Do you have express delivery, and when does it close?',
      'Latest time to order for delivery on the next working day?',
    ],
    answer: 'Order before **14:00** on a working day and choose *Express* (9.90 EUR): it is with you on the next working day.',
    facts: ['14:00', '9.90'],
    trap: {
      question: 'Until when must I order to get it on Saturday?',
      answer: 'Order before **11:00** on Friday and choose *Saturday* (14.90 EUR).',
      facts: ['11:00', '14.90'],
      differsBy: 'name',
    },
  },
  {
    id: 'dry-bag-guarantee',
    question: 'How long is the guarantee on dry bags?',
    paraphrases: [
      'What guarantee do your dry bags have?',
      'For how many years are dry bags covered?',
      'My dry bag is four years old, is it still under guarantee?',
      'Dry bag warranty period?',
    ],
    answer: 'Dry bags are guaranteed for **5 years**, seams and closure included. Wear of the outer coating is not covered.',
    facts: ['5 years'],
    trap: {
      question: 'How long is the guarantee on life jackets?',
      answer: 'Life jackets are guaranteed for **2 years**; with a yearly service at our workshop for 10.',
      facts: ['2 years'],
      differsBy: 'name',
    },
  },
  {
    id: 'cut-rope',
    question: 'Can I return rope that you cut to length?',
    paraphrases: [
      'Do you take back rope that was cut for me?',
      'Is cut rope refundable?',
      'I ordered 23 m of rope cut from the spool. Can I send it back?',
      'Are there refunds for rope by the metre?',
    ],
    answer: 'No, rope that was cut to length is **excluded** from returns. If we measured wrong, we replace it.',
    facts: ['excluded'],
    trap: {
      question: 'Can I return rope that you did not cut to length?',
      answer: 'Yes, whole spools and ready-made lines can be returned within **30 days** if they are unused.',
      facts: ['30 days'],
      differsBy: 'negation',
    },
  },
  {
    id: 'jacket-service',
    question: 'What does the yearly service of a life jacket cost?',
    paraphrases: [
      'How much do you charge for servicing a life jacket?',
      'Price of a life jacket service?',
      'I would like to have my life jacket checked. What will I pay?',
      'What is the fee for the annual inspection of one jacket?',
    ],
    answer: 'The service costs **24 EUR** for one jacket, cartridge not included, and takes about ten working days in winter.',
    facts: ['24 EUR'],
    trap: {
      question: 'What does the yearly service of 10 life jackets cost?',
      answer: 'From ten jackets the service costs 19 EUR each, so **190 EUR**, collection included.',
      facts: ['190 EUR'],
      differsBy: 'number',
    },
  },
  {
    id: 'gift-card',
    question: 'How long is a gift card valid?',
    paraphrases: [
      'When does a gift card expire?',
      'I found an old gift card. Does it still work?',
      'For how many years can a gift card be used?',
      'Expiry of gift cards?',
    ],
    answer: 'Gift cards are valid for **3 years**, counted from the end of the year in which they were bought.',
    facts: ['3 years'],
    trap: {
      question: 'How long is a discount code valid?',
      answer: 'Discount codes are valid until the date printed below them, usually **30 days**, and only once.',
      facts: ['30 days'],
      differsBy: 'name',
    },
  },
  {
    id: 'bulk-500',
    question: 'What discount do I get on an order of 500 euros?',
    paraphrases: [
      'Is there a discount from 500 euros?',
      'We would order for 500 euros. What is the rebate?',
      'How much do you take off when I spend 500 euros?',
      'Volume discount at 500 euros?',
    ],
    answer: 'Business customers get **5 %** from 500 euros, applied in the cart.',
    facts: ['5 %'],
    trap: {
      question: 'What discount do I get on an order of 2000 euros?',
      answer: 'Business customers get **8 %** from 2000 euros, applied in the cart.',
      facts: ['8 %'],
      differsBy: 'number',
    },
  },
  {
    id: 'kiel-hours',
    question: 'When is the shop in Kiel open?',
    paraphrases: [
      'What are the opening hours in Kiel?',
      'Opening times of your Kiel store?',
      'Until what time can I come to the shop in Kiel?',
      'Is the store in Kiel open on Saturdays?',
    ],
    answer: 'The shop in Kiel is open Monday to Friday from 9:00 to **18:00**, on Saturdays from 10:00 to 14:00.',
    facts: ['18:00'],
    trap: {
      question: 'When is the shop in Hamburg open?',
      answer: 'The shop in Hamburg is open Monday to Friday from 10:00 to **19:00**, on Saturdays from 10:00 to 16:00.',
      facts: ['19:00'],
      differsBy: 'name',
    },
  },
  {
    id: 'cancel',
    question: 'Until when can I cancel an order?',
    paraphrases: [
      'How long after ordering can I still cancel?',
      'I want to call off my order. Is there a time limit?',
      'What is the deadline for cancelling?',
      'Is cancelling still possible one hour after I ordered?',
    ],
    answer:
      'An order can be cancelled for **2 hours** under *Orders*; after that it is being packed, and you can return it when it arrives.',
    facts: ['2 hours'],
    trap: {
      question: 'Which orders can not be cancelled?',
      answer: 'Orders with cut rope or made-to-measure sails: work on them begins **at once**.',
      facts: ['at once'],
      differsBy: 'negation',
    },
  },
  {
    id: 'payment',
    question: 'Which payment methods do you accept?',
    paraphrases: ['How can I pay?', 'What are the ways to pay in your shop?', 'Do you take PayPal or credit cards?', 'Ways of payment?'],
    answer: 'We accept credit and debit cards, **PayPal**, SEPA transfer, and invoices for business customers.',
    facts: ['PayPal'],
    trap: {
      question: 'Which payment methods do you not accept?',
      answer: 'We do not accept **cheques**, cash on delivery and cryptocurrencies.',
      facts: ['cheques'],
      differsBy: 'negation',
    },
  },
  {
    id: 'points',
    question: 'How much are 100 points worth?',
    paraphrases: [
      'What do I get for 100 points?',
      'What is the value of 100 loyalty points?',
      'I have collected 100 points. What can I do with them?',
      'Worth of 100 bonus points?',
    ],
    answer: '100 points are worth **5 EUR**; you collect one point for each euro. They expire after 24 months.',
    facts: ['5 EUR'],
    trap: {
      question: 'How much are 1000 points worth?',
      answer: '1000 points are worth **60 EUR**: from a thousand on there is a bonus of ten euros.',
      facts: ['60 EUR'],
      differsBy: 'number',
    },
  },
  {
    id: 'old-rope',
    question: 'What can I do with my old ropes?',
    paraphrases: [
      'Do you recycle used ropes?',
      'Can I bring you worn-out rope?',
      'Where should I take ropes that I no longer use?',
      'Is there a take-back for old lines?',
    ],
    answer: 'Bring or send them to us: polyamide and polyester are spun again, and you get a voucher of **10 %** on new rope.',
    facts: ['10 %'],
    trap: {
      question: 'What can I do with my old sails?',
      answer: 'We pass sails of at least 10 m² on to a workshop that sews bags from them; you get one **bag** for free.',
      facts: ['bag'],
      differsBy: 'name',
    },
  },
  {
    id: 'load-10',
    question: 'What is the breaking load of your 10 mm polyester double braid?',
    paraphrases: [
      'How strong is the 10 mm double braid?',
      'At what load does 10 mm polyester rope break?',
      'Breaking strength of the 10 mm line?',
      'How much can the polyester double braid of 10 mm hold?',
    ],
    answer: 'The 10 mm polyester double braid breaks at **2800 daN**. For a working load, divide by five.',
    facts: ['2800 daN'],
    trap: {
      question: 'What is the breaking load of your 12 mm polyester double braid?',
      answer: 'The 12 mm polyester double braid breaks at **4000 daN**. For a working load, divide by five.',
      facts: ['4000 daN'],
      differsBy: 'number',
    },
  },
  {
    id: 'address',
    question: 'Can I still change the delivery address?',
    paraphrases: [
      'My address is wrong. Can it be corrected?',
      'How do I change where my parcel goes?',
      'I moved after ordering. What about the address?',
      'Changing the shipping address: is that possible?',
    ],
    answer: 'Yes, until the parcel is **packed**: open the order and choose *Change address*. Afterwards only the carrier can redirect it.',
    facts: ['packed'],
    trap: {
      question: 'Can I still change the billing address?',
      answer: 'Yes, for **90 days**: change it under *Account → Billing* and issue the invoice again.',
      facts: ['90 days'],
      differsBy: 'name',
    },
  },
];

const SIZES = [4, 5, 6, 8, 10, 12, 14, 16, 18, 20] as const;
const MATERIALS = ['polyester double braid', 'polyamide three-strand', 'Dyneema core', 'polypropylene float line'] as const;

function catalogue(): string {
  const rows = MATERIALS.flatMap((material, at) =>
    SIZES.map((size) => `| ${material} | ${size} mm | ${(size * size * (28 + at * 9)) / 100} EUR per 10 m | spools of 50, 100 and 200 m |`),
  );
  return ['| Rope | Diameter | Price | Sold as |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** A handbook of more than two thousand tokens that answers all of the questions above: the long, unchanging beginning of a prompt. */
export function faqHandbook(): string {
  const sections = FAQ.map(({ question, answer, trap }) => `### ${question}\n${answer}\n\n### ${trap.question}\n${trap.answer}`);
  return [
    '# Help centre of Tidemark Supply',
    'Answer customers from this handbook only. If it does not say, offer to hand over to a colleague.',
    ...sections,
    '## Ropes by the metre',
    catalogue(),
  ].join('\n\n');
}
