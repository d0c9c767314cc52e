import type { CorpusFeature } from './model.ts';

export const CONTRACT_SUMMARY: CorpusFeature = {
  name: 'contract-summary',
  team: 'legal',
  systemPrompt:
    'You summarise contracts for the procurement team of Tidemark Supply. Name the clause for every statement. Mark what is unusual or risky for us. You do not give legal advice and you never invent a clause; say "not in the text" instead.',
  tools: [
    {
      name: 'search_docs',
      description: 'Search the library of our standard clauses and earlier contracts',
      parameters: {
        type: 'object',
        properties: { query: { type: 'string' }, limit: { type: 'integer', minimum: 1, maximum: 10 } },
        required: ['query'],
        additionalProperties: false,
      },
    },
    {
      name: 'create_review_task',
      description: 'Ask a lawyer to look at one clause',
      parameters: {
        type: 'object',
        properties: {
          clause: { type: 'string' },
          reason: { type: 'string' },
          priority: { type: 'string', enum: ['low', 'normal', 'high'] },
        },
        required: ['clause', 'reason', 'priority'],
        additionalProperties: false,
      },
    },
  ],
  conversations: [
    {
      language: 'en',
      turns: [
        {
          question:
            'Summarise the key terms.\n\n4.1 The Supplier shall deliver the Goods DAP Kiel within 21 days of each Order. 4.2 For each full week of delay the Buyer may deduct 1 % of the price of the delayed Goods, up to 8 %. 7.1 Invoices are due 45 days after receipt. 9.2 Either party may terminate for convenience with three months’ notice to the end of a quarter. 11.3 The Supplier’s total liability in a calendar year is limited to the amounts paid in that year, save for intent and gross negligence.',
          answer:
            '**Key terms**\n\n| Topic | Term | Clause |\n| --- | --- | --- |\n| Delivery | DAP Kiel, 21 days from each order | 4.1 |\n| Delay | 1 % of the price per full week, at most 8 % | 4.2 |\n| Payment | 45 days after receipt of the invoice | 7.1 |\n| Termination | Three months to the end of a quarter, both parties | 9.2 |\n| Liability | Amounts paid in the year; not for intent or gross negligence | 11.3 |\n\n**Worth a look**\n\n- The cap in 11.3 protects only the Supplier; our own liability is not limited anywhere in the text.\n- Partial weeks of delay cost the Supplier nothing (4.2).',
        },
        {
          question: 'Is the delay penalty exclusive, or can we still claim damages on top?',
          answer:
            'The text does not say. Clause 4.2 allows a deduction and is silent on further claims, so under German law a deduction would normally be set off against damages but not replace them. I would add one sentence to be safe: *“Further claims for damages remain unaffected; a deduction is credited against them.”*',
        },
        {
          question: 'Create a review task for the liability clause.',
          tools: [
            {
              name: 'create_review_task',
              arguments: { clause: '11.3', reason: 'Liability is capped for the Supplier only', priority: 'high' },
              result: { task_id: 'LR-2291', assigned_to: 'M. Okonjo', due: '2026-03-18' },
            },
          ],
          answer:
            'Done: task **LR-2291** is with M. Okonjo, due on 18 March. I set it to high because the cap works in one direction only.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question:
            'What are the renewal conditions? "This Agreement runs for 24 months from the Effective Date and renews for successive periods of 12 months unless either party gives notice at least 90 days before the end of the then-current term. Fees for a renewal period increase by the change of the HICP plus two percentage points."',
          answer:
            '- **First term:** 24 months from the Effective Date.\n- **Renewal:** automatic, 12 months at a time.\n- **To stop it:** notice at least **90 days** before the term ends.\n- **Price:** goes up at each renewal by inflation (HICP) **plus 2 percentage points**, with no ceiling.\n\nThe uncapped increase is unusual; most of our agreements have inflation only, with 3 % as the limit.',
        },
        {
          question: 'If we signed on 1 February 2025, what is the last day to give notice?',
          answer:
            'The first term ends on 31 January 2027. Ninety days before that is **2 November 2026**. Notice should arrive, not only be sent, on or before that day, so I would put 15 October into the calendar.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question:
            'List every obligation of ours from this data processing agreement: notify within 48 hours of a breach, delete data within 30 days after the end, annual audit on request, sub-processors only with prior written consent.',
          answer:
            '1. **Breach notice:** inform the controller within 48 hours.\n2. **Deletion:** delete all personal data within 30 days after the end of the agreement.\n3. **Audit:** allow one audit a year when asked.\n4. **Sub-processors:** none without written consent beforehand.\n\nPoint 4 is stricter than our standard (general consent with a right to object). Our hosting and mail providers would each need a signed consent before the start.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question: 'Does our standard purchase agreement allow assignment to an affiliate?',
          tools: [
            {
              name: 'search_docs',
              arguments: { query: 'standard purchase agreement assignment affiliate', limit: 3 },
              result: {
                results: [
                  {
                    title: 'Standard purchase agreement v7, clause 15.2',
                    text: 'Neither party may assign this Agreement without written consent, except to an affiliate within the meaning of section 15 AktG.',
                  },
                ],
              },
            },
          ],
          answer:
            'Yes. Clause **15.2** of our standard purchase agreement (v7) requires written consent for an assignment but makes an exception for affiliates within the meaning of section 15 AktG. No notice is required, so consider telling the other side anyway.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question:
            'Explain the indemnity clause in plain words: "Supplier shall indemnify and hold harmless Buyer against all third-party claims arising from an actual or alleged infringement of intellectual property rights by the Goods, provided that Buyer notifies Supplier without undue delay and leaves the conduct of the defence to Supplier."',
          answer:
            'If someone else says that the goods infringe their patent, brand or design, the supplier pays, even when the claim turns out to be wrong. Two conditions: we must tell the supplier quickly, and we must let the supplier run the defence.\n\nNote that we lose this protection if our own lawyers take over the case first.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question:
            'Compare the warranty terms of offer A (24 months, repair or replacement, return freight paid by buyer) and offer B (12 months, repair, replacement or refund, on-site service within 5 days).',
          answer:
            '| | Offer A | Offer B |\n| --- | --- | --- |\n| Period | **24 months** | 12 months |\n| Remedies | Repair or replacement | Repair, replacement **or refund** |\n| Freight | Paid by us | None, on-site service |\n| Reaction time | Not in the text | **5 days** |\n\nFor equipment that stops production, B is the stronger offer despite the shorter period. For spare parts, A is cheaper over two years. Ask A for a reaction time and B for 18 months.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question: 'Which law governs the agreement and where do we sue?',
          answer:
            'Not in the text you sent: there is no clause on governing law or jurisdiction. Without one, the conflict rules decide, which for a Danish seller would usually lead to Danish law. I recommend adding German law, excluding the CISG, with Kiel as the place of jurisdiction.',
        },
      ],
    },
    {
      language: 'de',
      turns: [
        {
          question:
            'Fasse den Mietvertrag für das Lager zusammen: Laufzeit fünf Jahre ab 1.7.2025, Verlängerungsoption zweimal drei Jahre, Miete 8.400 € netto monatlich, Indexierung ab einer Änderung des VPI von 5 %, Kaution drei Monatsmieten, Untervermietung nur mit Zustimmung.',
          answer:
            '**Kurzfassung**\n\n- **Laufzeit:** 1. Juli 2025 bis 30. Juni 2030, danach zweimal drei Jahre auf unseren Wunsch.\n- **Miete:** 8.400 € netto im Monat; Anpassung erst, wenn der VPI sich um 5 % geändert hat.\n- **Kaution:** 25.200 € (drei Monatsmieten).\n- **Untervermietung:** nur mit Zustimmung des Vermieters.\n\n**Offen:** Bis wann die Option auszuüben ist, steht nicht im Text. Das sollte vor der Unterschrift geklärt werden.',
        },
        {
          question: 'Was kostet uns das Lager über die ersten fünf Jahre?',
          answer:
            'Ohne Indexierung: 60 × 8.400 € = **504.000 € netto**. Steigt der VPI zweimal um je 5 %, etwa nach zwei und nach vier Jahren, kommen rund 25.000 € dazu. Nebenkosten sind im Text nicht genannt.',
        },
      ],
    },
    {
      language: 'de',
      turns: [
        {
          question:
            'Welche Klauseln zur Geheimhaltung sind ungewöhnlich? Die Pflicht gilt zehn Jahre nach Vertragsende, eine Vertragsstrafe von 50.000 € je Verstoß, Rückgabe aller Unterlagen binnen sieben Tagen.',
          answer:
            'Zwei Punkte weichen von unserem Standard ab:\n\n1. **Zehn Jahre** nach Vertragsende: üblich sind drei bis fünf.\n2. **50.000 € je Verstoß** ohne Rücksicht auf Verschulden und ohne Obergrenze. Besser: angemessene Strafe, im Streitfall vom Gericht zu prüfen.\n\nDie Rückgabe binnen sieben Tagen ist knapp, aber machbar, wenn Sicherungskopien ausgenommen sind.',
        },
      ],
    },
    {
      language: 'fr',
      turns: [
        {
          question:
            "Résume l'accord de distribution : exclusivité pour la France pendant trois ans, achat minimum de 200 000 € par an, résiliation si le minimum n'est pas atteint deux années de suite, non-concurrence d'un an.",
          answer:
            "- **Territoire :** France, exclusivité de trois ans.\n- **Minimum :** 200 000 € d'achats par an.\n- **Résiliation :** possible pour nous si le minimum est manqué deux années de suite.\n- **Non-concurrence :** un an après la fin.\n\nPoint d'attention : pendant les deux premières années, l'exclusivité reste acquise même sans aucun achat. Une perte de l'exclusivité dès la première année serait plus équilibrée.",
        },
      ],
    },
    {
      language: 'es',
      turns: [
        {
          question:
            '¿Qué riesgos ves en esta cláusula? "El proveedor podrá modificar los precios en cualquier momento con un preaviso de 15 días."',
          answer:
            'Tres riesgos:\n\n1. No hay **límite** para la subida.\n2. **15 días** no bastan para cambiar de proveedor.\n3. No se nos concede un **derecho a rescindir** si no aceptamos el nuevo precio.\n\nPropongo: una revisión al año, con tope del IPC, y derecho a rescindir sin coste dentro de los 60 días siguientes.',
        },
      ],
    },
  ],
};
