import type { CorpusConversation } from './model.ts';

/** Customers who write German, French, Spanish and Portuguese. */
export const CUSTOMER_SUPPORT_MORE: readonly CorpusConversation[] = [
  {
    language: 'de',
    turns: [
      {
        question: 'Guten Tag, meine Rettungsweste hat sich in der Kiste von selbst aufgeblasen. Ist das ein Garantiefall?',
        answer:
          'Guten Tag! Das passiert meist, wenn die Tablette des Auslösers feucht wird. Ist sie älter als zwei Jahre, zählt sie als Verschleißteil.\n\nIst sie jünger, übernehmen wir das: Schicken Sie uns bitte ein Foto vom Datum auf der Tablette und die Bestellnummer. Sie bekommen dann ein Wartungsset, und wir prüfen die Weste kostenlos.',
      },
      {
        question: 'Die Tablette ist von März letzten Jahres. Was brauchen Sie noch?',
        answer:
          'Dann ist es ein Garantiefall. Mir fehlt nur noch Ihre Bestellnummer; sie beginnt mit **TS-** und steht auf dem Lieferschein. Das Wartungsset geht heute noch hinaus.',
      },
    ],
  },
  {
    language: 'de',
    turns: [
      {
        question: 'Wie lange dauert der Versand nach Österreich, und was kostet er?',
        answer:
          'Nach Österreich sind es **zwei bis drei Werktage** mit der Post. Der Versand kostet 7,90 €, ab 100 € Warenwert ist er frei. Sperrige Teile wie Masten und Bäume gehen per Spedition; den Preis dafür zeigt der Warenkorb.',
      },
    ],
  },
  {
    language: 'de',
    turns: [
      {
        question: 'Darf ich ein Seil zurückgeben, das Sie für mich zugeschnitten haben?',
        answer:
          'Leider nein: Zugeschnittene Ware ist vom Rückgaberecht ausgenommen. Wenn die Länge nicht stimmt, weil **wir** uns vermessen haben, ersetzen wir sie natürlich.',
      },
    ],
  },
  {
    language: 'fr',
    turns: [
      {
        question: 'Mon colis est arrivé ouvert et il manque une poulie. Que dois-je faire ?',
        answer:
          "Je suis désolé pour ce désagrément. Envoyez-nous deux photos, une du carton et une de l'étiquette, avec votre numéro de commande. La poulie manquante part le jour même, sans frais, et nous nous occupons de la réclamation auprès du transporteur.",
      },
      {
        question: "J'ai jeté le carton, c'est grave ?",
        answer: "Ce n'est pas grave. Une photo de l'étiquette suffit, ou à défaut le numéro de suivi qui figure dans le mail d'expédition.",
      },
    ],
  },
  {
    language: 'fr',
    turns: [
      {
        question: 'Quelle est la durée de garantie des sacs étanches ?',
        answer:
          "Les sacs étanches sont garantis **cinq ans**, coutures et fermeture comprises. L'usure du revêtement extérieur n'est pas couverte.",
      },
    ],
  },
  {
    language: 'fr',
    turns: [
      {
        question: 'Puis-je payer en trois fois sans frais ?',
        answer:
          "Oui, à partir de 150 € d'achat et jusqu'à 1 500 €, par carte bancaire française ou belge. Choisissez **Paiement en 3 fois** à la dernière étape ; la première échéance est prélevée à l'expédition.",
      },
    ],
  },
  {
    language: 'es',
    turns: [
      {
        question: '¿Cómo puedo anular un pedido que hice hace una hora?',
        answer:
          'Está a tiempo: un pedido se puede anular durante las **dos primeras horas**. Entre en *Mi cuenta → Pedidos*, abra el pedido y pulse **Anular**. El importe vuelve a su tarjeta en tres a cinco días laborables.',
      },
      {
        question: 'El botón ya no aparece. ¿Y ahora?',
        answer:
          'Entonces ya lo estamos preparando. Puede rechazar el paquete cuando llegue o devolverlo en 30 días; la etiqueta de devolución es gratuita en la Unión Europea.',
      },
    ],
  },
  {
    language: 'es',
    turns: [
      {
        question: '¿Qué diámetro de cabo necesito para la escota de génova de un barco de 34 pies?',
        tools: [
          {
            name: 'search_docs',
            arguments: { query: 'diámetro escota génova 34 pies', limit: 3 },
            result: { results: [{ title: 'Jarcia de labor', text: 'Escota de génova: 10 mm hasta 28 pies, 12 mm hasta 36 pies.' }] },
          },
        ],
        answer:
          'Para 34 pies nuestra guía indica **12 mm**. Si busca un tacto más cómodo, la versión trenzada suave del mismo diámetro pesa algo más pero se agarra mejor con guantes.',
      },
    ],
  },
  {
    language: 'es',
    turns: [
      {
        question: 'Necesito una factura con el NIF de mi empresa.',
        answer:
          'Añada el NIF en *Mi cuenta → Datos de facturación*; desde ese momento aparece en todas las facturas. Para pedidos de los últimos 90 días pulse **Volver a emitir la factura**.',
      },
    ],
  },
  {
    language: 'pt',
    turns: [
      {
        question: 'Bom dia, recebi o casaco no tamanho errado. Como faço a troca?',
        answer:
          'Bom dia! Lamento o engano. Abra *As minhas encomendas*, escolha **Trocar artigo** e indique o tamanho certo; fica reservado durante 14 dias. A etiqueta de devolução segue por e-mail e é gratuita.\n\nO casaco novo sai assim que a transportadora registar o seu pacote.',
      },
      {
        question: 'E se o tamanho que eu quero estiver esgotado?',
        answer:
          'Nesse caso devolvemos o valor em cinco dias úteis depois de o casaco chegar, ou avisamos quando o tamanho voltar a estar disponível. Diga-me o que prefere.',
      },
    ],
  },
  {
    language: 'pt',
    turns: [
      {
        question: 'Vocês enviam para os Açores e para a Madeira?',
        answer:
          'Sim. Para os Açores e a Madeira o envio demora **seis a oito dias úteis** e custa 12,90 €, grátis a partir de 150 €. Artigos com mais de 20 kg não seguem por via aérea.',
      },
    ],
  },
  {
    language: 'pt',
    turns: [
      {
        question: 'A minha encomenda TS-112208 já devia ter chegado ontem.',
        tools: [
          {
            name: 'get_order_status',
            arguments: { order_id: 'TS-112208' },
            result: { order_id: 'TS-112208', status: 'in_transit', carrier: 'CTT', last_scan: 'Lisboa', estimated_delivery: '2026-03-13' },
          },
        ],
        answer:
          'Peço desculpa pelo atraso. A encomenda **TS-112208** está com os CTT e passou ontem por Lisboa; a nova data de entrega é **sexta-feira, 13 de março**.\n\nSe não chegar nesse dia, escreva-me e abro uma reclamação na transportadora.',
      },
    ],
  },
  {
    language: 'pt',
    turns: [
      {
        question: 'Posso pagar por transferência bancária?',
        answer:
          'Pode. Escolha **Transferência** no último passo; reservamos os artigos durante cinco dias e enviamos assim que o valor entrar na nossa conta, normalmente no dia seguinte.',
      },
    ],
  },
];
