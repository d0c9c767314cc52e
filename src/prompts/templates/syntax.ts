/** `at` = offset in the source, for errors. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null; readonly at: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'list'; readonly items: readonly Expression[]; readonly at: number }
  | { readonly kind: 'object'; readonly members: readonly { readonly key: Expression; readonly value: Expression }[]; readonly at: number }
  | { readonly kind: 'member'; readonly of: Expression; readonly key: Expression; readonly at: number }
  | {
      readonly kind: 'slice';
      readonly of: Expression;
      readonly from: Expression | null;
      readonly to: Expression | null;
      readonly at: number;
    }
  | { readonly kind: 'range'; readonly arguments: readonly Expression[]; readonly at: number }
  | { readonly kind: 'unary'; readonly operator: 'not' | '-' | '+'; readonly of: Expression; readonly at: number }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    }
  | {
      readonly kind: 'choice';
      readonly condition: Expression;
      readonly chosen: Expression;
      readonly otherwise: Expression | null;
      readonly at: number;
    }
  | {
      readonly kind: 'filter';
      readonly name: string;
      readonly of: Expression;
      readonly arguments: readonly Expression[];
      readonly named: Readonly<Record<string, Expression>>;
      readonly at: number;
    }
  | {
      readonly kind: 'test';
      readonly name: string;
      readonly of: Expression;
      readonly arguments: readonly Expression[];
      readonly at: number;
    };

export type BinaryOperator =
  | 'or'
  | 'and'
  | 'in'
  | '=='
  | '!='
  | '==='
  | '!=='
  | '<'
  | '<='
  | '>'
  | '>='
  | '~'
  | '+'
  | '-'
  | '*'
  | '/'
  | '//'
  | '%'
  | '**';

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly expression: Expression; readonly at: number }
  | {
      readonly kind: 'if';
      readonly branches: readonly { readonly condition: Expression; readonly body: readonly TemplateNode[] }[];
      readonly otherwise: readonly TemplateNode[];
      readonly at: number;
    }
  | {
      readonly kind: 'for';
      readonly names: readonly string[];
      readonly over: Expression;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
      readonly at: number;
    }
  | { readonly kind: 'set'; readonly names: readonly string[]; readonly value: Expression | readonly TemplateNode[]; readonly at: number }
  | {
      readonly kind: 'filtered';
      readonly name: string;
      readonly arguments: readonly Expression[];
      readonly body: readonly TemplateNode[];
      readonly at: number;
    };
