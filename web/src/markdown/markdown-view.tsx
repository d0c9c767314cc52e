import { Fragment, type ReactNode, useMemo } from 'react';
import { CopyButton } from '../ui/copy-button.tsx';
import { ScrollText } from '../ui/scroll-text.tsx';
import { type MarkdownNode, parseMarkdown } from './markdown.ts';

/** Model output as elements of our own. Nothing of it becomes HTML. */
export function MarkdownView({ source }: { source: string }): ReactNode {
  const nodes = useMemo(() => parseMarkdown(source), [source]);
  return (
    <div className="flex flex-col gap-2.5 break-words" dir="auto">
      <Nodes nodes={nodes} />
    </div>
  );
}

function Nodes({ nodes }: { nodes: readonly MarkdownNode[] }): ReactNode {
  // biome-ignore lint/suspicious/noArrayIndexKey: a parsed text is static; its nodes have no identity but their place
  return nodes.map((node, index) => <Node key={index} node={node} />);
}

function Node({ node }: { node: MarkdownNode }): ReactNode {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'code':
      return <code className="rounded-sm bg-sunken px-1 py-px font-mono text-xs">{node.text}</code>;
    case 'strong':
      return (
        <strong className="font-semibold">
          <Nodes nodes={node.children} />
        </strong>
      );
    case 'emphasis':
      return (
        <em>
          <Nodes nodes={node.children} />
        </em>
      );
    case 'deleted':
      return (
        <del>
          <Nodes nodes={node.children} />
        </del>
      );
    case 'paragraph':
      return (
        <p dir="auto" className="min-w-0 [overflow-wrap:anywhere]">
          <Nodes nodes={node.children} />
        </p>
      );
    case 'quote':
      return (
        <blockquote className="flex flex-col gap-2 border-l-2 border-line-strong pl-3 text-ink-2">
          <Nodes nodes={node.children} />
        </blockquote>
      );
    case 'heading':
      // The page owns the heading levels; a model's headings only look like some.
      return (
        <p dir="auto" className={`font-semibold ${node.level <= 2 ? 'text-base' : ''}`}>
          <Nodes nodes={node.children} />
        </p>
      );
    case 'link':
      return (
        <Fragment>
          <a href={node.href} className="link underline" target="_blank" rel="noopener noreferrer nofollow">
            <Nodes nodes={node.children} />
          </a>
          {node.isHostShown && <span className="text-xs text-ink-3"> ({node.host})</span>}
        </Fragment>
      );
    case 'image':
      return (
        <span
          className="inline-flex max-w-full items-center gap-1.5 rounded-sm border border-dashed border-line-strong px-1.5 text-xs text-ink-2"
          data-tip={node.source.slice(0, 300)}
        >
          <span className="truncate">Image not loaded{node.alternative ? `: ${node.alternative}` : ''}</span>
        </span>
      );
    case 'codeBlock':
      return <CodeBlock text={node.text} language={node.language} />;
    case 'list':
      return node.isOrdered ? (
        <ol className="list-decimal pl-6" start={node.start}>
          <Items items={node.items} />
        </ol>
      ) : (
        <ul className="list-disc pl-5">
          <Items items={node.items} />
        </ul>
      );
    case 'checkbox':
      return (
        <span role="img" aria-label={node.isChecked ? 'done' : 'open'} className="mr-1 font-mono">
          {node.isChecked ? '[x]' : '[ ]'}
        </span>
      );
    case 'table':
      return (
        <div className="scroll-x">
          <table className="text-xs">
            <thead>
              <tr>
                <Cells cells={node.head} align={node.align} isHead />
              </tr>
            </thead>
            <tbody>
              {node.rows.map((row, rowIndex) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: static
                <tr key={rowIndex}>
                  <Cells cells={row} align={node.align} />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case 'break':
      return <br />;
    case 'rule':
      return <hr />;
    default:
      return node satisfies never;
  }
}

interface CellsProps {
  readonly cells: readonly (readonly MarkdownNode[])[];
  readonly align: readonly ('left' | 'right' | 'center' | null)[];
  readonly isHead?: boolean;
}

function Cells({ cells, align, isHead = false }: CellsProps): ReactNode {
  const Tag = isHead ? 'th' : 'td';
  return cells.map((cell, index) => (
    <Tag
      // biome-ignore lint/suspicious/noArrayIndexKey: static
      key={index}
      className={`border-b px-2 py-1 first:pl-0 ${isHead ? 'font-semibold' : ''}`}
      style={{ textAlign: align[index] ?? 'left' }}
    >
      <Nodes nodes={cell} />
    </Tag>
  ));
}

function Items({ items }: { items: readonly (readonly MarkdownNode[])[] }): ReactNode {
  return items.map((item, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: static
    <li key={index} className="mt-0.5">
      <Nodes nodes={item} />
    </li>
  ));
}

export function CodeBlock({ text, language }: { text: string; language: string }): ReactNode {
  return (
    <div className="min-w-0 overflow-hidden rounded-md border bg-sunken">
      <div className="flex h-7 items-center justify-between border-b pr-1 pl-2.5 text-2xs text-ink-3">
        {language || 'text'}
        <CopyButton text={text} label="Copy" isQuiet />
      </div>
      <ScrollText text={text} className="max-h-96" />
    </div>
  );
}
