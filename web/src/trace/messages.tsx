import { type ReactNode, useState } from 'react';
import type { Span } from '../api/schema.ts';
import { formatCharacters } from '../format/number.ts';
import { MAX_MARKDOWN_LENGTH } from '../markdown/markdown.ts';
import { CodeBlock, MarkdownView } from '../markdown/markdown-view.tsx';
import { Badge } from '../ui/badges.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { deletionText } from './deletion-text.ts';
import { type ChatMessage, type MessagePart, type Payload, type PayloadDocument, parsePayload } from './payload.ts';

/** Longer texts start folded. */
const FOLD_LENGTH = 1600;
/** Even unfolded, one element holds no more than this: the rest is in the raw view. */
const MAX_SHOWN_LENGTH = 200_000;

export function Conversation({ span }: { span: Span }): ReactNode {
  const input = parsePayload(span.input);
  const output = parsePayload(span.output);
  if (input.kind === 'none' && output.kind === 'none') return <NotRecorded span={span} />;
  // A plain text is what a client recorded, unless the feature's policy cut it.
  const isPreview = span.kind === 'gateway' || span.attributes['plimsoll.payloads'] === 'preview';
  return (
    <div className="flex flex-col gap-4">
      {span.isTruncated && (
        <p className="text-xs text-ink-2">
          <StateMark state="warning" word="Cut" />{' '}
          <span>— a text of this span was longer than the recording limit; its end is missing.</span>
        </p>
      )}
      <Side title="Input" payload={input} isPreview={isPreview} />
      <Side title="Output" payload={output} isPreview={isPreview} />
    </div>
  );
}

/** What was asked; beside `Answer` where one question has several. */
export function Question({ span }: { span: Span }): ReactNode {
  return <Side title="Input" payload={parsePayload(span.input)} isPreview={span.kind === 'gateway'} />;
}

export function Answer({ span }: { span: Span }): ReactNode {
  if (span.output === null && span.status !== 'ok') return <p className="text-critical">{span.statusMessage}</p>;
  return <PayloadView payload={parsePayload(span.output)} />;
}

function NotRecorded({ span }: { span: Span }): ReactNode {
  if (span.textsDeleted !== null)
    return (
      <p className="max-w-prose py-2 text-ink-2">
        Messages {deletionText(span.textsDeleted)}. Tokens, cost and times of the call are kept longer.
      </p>
    );
  return (
    <p className="max-w-prose py-2 text-ink-2">
      {span.kind === 'stage'
        ? 'A stage of the gateway has no texts of its own; select the call above it.'
        : 'No text was recorded for this span. Either it has none, or the policy of its feature ("payloads" in plimsoll.yaml) keeps texts out, or they were left out while the disk was short.'}
    </p>
  );
}

function Side({ title, payload, isPreview }: { title: string; payload: Payload; isPreview: boolean }): ReactNode {
  return (
    <section aria-label={title} className="flex min-w-0 flex-col gap-2">
      <h3 className="flex flex-wrap items-center gap-2 text-xs font-semibold text-ink-3">
        {title}
        {payload.kind === 'preview' && isPreview && (
          <Badge tip="The policy of this feature keeps the first 200 characters only.">preview</Badge>
        )}
        {(payload.kind === 'chat' || payload.kind === 'json') && payload.isCut && (
          <Badge tip="The recorded JSON ends in the middle; what arrived is shown.">cut</Badge>
        )}
      </h3>
      <PayloadView payload={payload} />
    </section>
  );
}

function PayloadView({ payload }: { payload: Payload }): ReactNode {
  switch (payload.kind) {
    case 'none':
      return <p className="text-ink-3">nothing recorded</p>;
    case 'preview':
      return <Text text={payload.text} />;
    case 'json':
      return <CodeBlock language="json" text={JSON.stringify(payload.value, null, 2).slice(0, MAX_SHOWN_LENGTH)} />;
    case 'chat':
      return <Chat payload={payload} />;
    case 'documents':
      return <Documents documents={payload.documents} />;
    default:
      return payload satisfies never;
  }
}

function Documents({ documents }: { documents: readonly PayloadDocument[] }): ReactNode {
  if (documents.length === 0) return <p className="text-ink-3">no documents</p>;
  return (
    <ol className="flex flex-col gap-2">
      {documents.map((document, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a recorded list does not change
        <li key={index} className="min-w-0 border-l-2 border-l-chart-2 pl-3">
          <div className="flex h-6 items-center gap-2 text-xs text-ink-3">
            <span className="truncate font-mono text-2xs">{document.id ?? `document ${index + 1}`}</span>
            {document.score !== null && <Badge tip="As the retriever scored it">score {Number(document.score.toPrecision(4))}</Badge>}
          </div>
          <Text text={document.text} />
        </li>
      ))}
    </ol>
  );
}

function Chat({ payload }: { payload: Extract<Payload, { kind: 'chat' }> }): ReactNode {
  const parameters = Object.entries(payload.parameters);
  return (
    <>
      {payload.messages.length === 0 && <p className="text-ink-3">no messages</p>}
      <ol className="flex flex-col gap-2">
        {payload.messages.map((message, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a recorded conversation does not change
          <Message key={index} message={message} />
        ))}
      </ol>
      {(payload.tools.length > 0 || parameters.length > 0) && (
        <div className="flex flex-wrap items-center gap-1.5 text-xs text-ink-3">
          {parameters.map(([name, value]) => (
            <Badge key={name} tip={`${name}: ${JSON.stringify(value)}`.slice(0, 300)}>
              {name} {JSON.stringify(value)?.slice(0, 60)}
            </Badge>
          ))}
          {payload.tools.length > 0 && <Badge tip={payload.tools.join(', ').slice(0, 300)}>tools: {payload.tools.join(', ')}</Badge>}
        </div>
      )}
    </>
  );
}

/** Roles are told apart by name and by the line at the left, not by colour. */
const ROLE_BORDERS: Readonly<Record<string, string>> = {
  assistant: 'border-l-accent',
  user: 'border-l-ink-2',
  system: 'border-l-line-strong border-dashed',
  tool: 'border-l-chart-2',
};

function Message({ message }: { message: ChatMessage }): ReactNode {
  const [isMarkdown, setIsMarkdown] = useState(message.role === 'assistant');
  const text = message.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n\n');
  const canBeMarkdown = text !== '' && text.length <= MAX_MARKDOWN_LENGTH;
  return (
    <li className={`min-w-0 border-l-2 pl-3 ${ROLE_BORDERS[message.role] ?? 'border-l-line-strong'}`}>
      <div className="flex h-6 items-center gap-2 text-xs text-ink-3">
        <span className="font-semibold text-ink-2">{message.role.slice(0, 40)}</span>
        {message.label !== null && <span className="truncate font-mono text-2xs">{message.label}</span>}
        <span className="ml-auto flex">
          {canBeMarkdown && (
            <button
              type="button"
              className="button button-quiet button-small"
              aria-pressed={isMarkdown}
              onClick={() => setIsMarkdown(!isMarkdown)}
            >
              {isMarkdown ? 'Plain text' : 'Markdown'}
            </button>
          )}
          {text !== '' && <CopyButton text={text} label="Copy" isQuiet />}
        </span>
      </div>
      <div className="flex flex-col gap-2">
        {message.parts.length === 0 && <span className="text-ink-3 italic">empty</span>}
        {message.parts.map((part, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a recorded message does not change
          <Part key={index} part={part} isMarkdown={isMarkdown && canBeMarkdown} />
        ))}
      </div>
    </li>
  );
}

function Part({ part, isMarkdown }: { part: MessagePart; isMarkdown: boolean }): ReactNode {
  switch (part.kind) {
    case 'text':
      return (
        <Fold length={part.text.length}>
          {(isOpen) =>
            isMarkdown ? <MarkdownView source={part.text} /> : <PlainText text={isOpen ? part.text : part.text.slice(0, FOLD_LENGTH)} />
          }
        </Fold>
      );
    case 'refusal':
      return (
        <div>
          <StateMark state="warning" word="Refused" />
          <PlainText text={part.text} />
        </div>
      );
    case 'media':
      return (
        <span className="w-fit max-w-full truncate rounded-sm border border-dashed border-line-strong px-1.5 text-xs text-ink-2">
          {part.label} not loaded{part.detail ? `: ${part.detail}` : ''}
        </span>
      );
    case 'toolCall':
      return (
        <div className="min-w-0">
          <div className="mb-1 flex items-baseline gap-2 text-xs">
            <span className="text-ink-3">calls</span>
            <code className="font-mono font-semibold">{part.name}</code>
            <code className="truncate font-mono text-2xs text-ink-3">{part.id}</code>
          </div>
          <CodeBlock text={part.arguments.slice(0, MAX_SHOWN_LENGTH)} language="arguments" />
        </div>
      );
    case 'other':
      return <CodeBlock text={part.json.slice(0, MAX_SHOWN_LENGTH)} language="json" />;
    default:
      return part satisfies never;
  }
}

function Text({ text }: { text: string }): ReactNode {
  return <Fold length={text.length}>{(isOpen) => <PlainText text={isOpen ? text : text.slice(0, FOLD_LENGTH)} />}</Fold>;
}

function PlainText({ text }: { text: string }): ReactNode {
  return (
    <p dir="auto" className="[overflow-wrap:anywhere] whitespace-pre-wrap">
      {text.slice(0, MAX_SHOWN_LENGTH)}
      {text.length > MAX_SHOWN_LENGTH && <span className="text-ink-3"> … the rest is in the raw view</span>}
    </p>
  );
}

/** Keeps a long text short until it is asked for. */
function Fold({ length, children }: { length: number; children: (isOpen: boolean) => ReactNode }): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  if (length <= FOLD_LENGTH) return children(true);
  return (
    <div>
      <div className={isOpen ? '' : 'max-h-56 overflow-hidden [mask-image:linear-gradient(#000_70%,transparent)]'}>{children(isOpen)}</div>
      <button type="button" className="button button-small mt-1.5" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
        {isOpen ? 'Fold' : `Show all ${formatCharacters(length)}`}
      </button>
    </div>
  );
}
