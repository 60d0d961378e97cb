// The thin bar on top: name, places, theme.

import { ChevronDown, Moon, Sun } from 'lucide-react';
import { useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { METHODS, type MethodEntry } from '../../methods/method-list.ts';
import css from './header.module.css';
import { Logo } from './Logo.tsx';
import { nextTheme, setTheme, shownTheme } from './theme.ts';

export function Header() {
  const [path] = useLocation();
  return (
    <header className={css.bar}>
      <Link href="/" className={css.brand} aria-label="Tenfold, playground">
        <Logo />
        <span>Tenfold</span>
      </Link>
      <nav aria-label="Main" className={css.nav}>
        <Place href="/" path={path}>
          Play
        </Place>
        <MethodMenu path={path} />
        <Place href="/gpu" path={path}>
          GPU
        </Place>
        <Place href="/runs" path={path}>
          Runs
        </Place>
      </nav>
      <ThemeButton />
    </header>
  );
}

function Place({ href, path, children }: { href: string; path: string; children: string }) {
  return (
    <Link href={href} className={css.place} aria-current={path === href ? 'page' : undefined}>
      {children}
    </Link>
  );
}

const stateOf = ({ page, started }: MethodEntry): string =>
  page ? 'train it in this tab' : started ? 'command line only' : 'not started';

/** A native popover: Escape and a click outside close it, and the browser keeps the focus order. */
function MethodMenu({ path }: { path: string }) {
  const menu = useRef<HTMLDivElement>(null);
  const here = METHODS.find((method) => path === `/${method.id}`);
  const own = path === '/language-model';
  return (
    <>
      <button
        type="button"
        className={css.place}
        popoverTarget="methods"
        aria-current={here || own ? 'page' : undefined}
      >
        Methods <ChevronDown size={14} aria-hidden="true" />
      </button>
      <div ref={menu} id="methods" popover="auto" className={css.menu}>
        <ol>
          {METHODS.map((method) => (
            <li key={method.id}>
              <Link
                href={`/${method.id}`}
                className={css.method}
                aria-current={here === method ? 'page' : undefined}
                onClick={() => menu.current?.hidePopover()}
              >
                <span className={css.number}>{method.number}</span>
                <span>{method.title}</span>
                <span className={css.line}>{stateOf(method)}</span>
              </Link>
            </li>
          ))}
        </ol>
        <Link
          href="/language-model"
          className={`${css.method} ${css.own}`}
          aria-current={own ? 'page' : undefined}
          onClick={() => menu.current?.hidePopover()}
        >
          <span>Language model</span>
          <span className={css.line}>from your disk</span>
        </Link>
      </div>
    </>
  );
}

function ThemeButton() {
  const [theme, update] = useState(shownTheme);
  const next = nextTheme(theme);
  return (
    <button
      type="button"
      className={css.theme}
      aria-label={`Switch to ${next} colours`}
      onClick={() => {
        setTheme(next);
        update(next);
      }}
    >
      {theme === 'dark' ? <Sun size={18} aria-hidden="true" /> : <Moon size={18} aria-hidden="true" />}
    </button>
  );
}
