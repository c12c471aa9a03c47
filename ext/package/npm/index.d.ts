/** What loads extensions: better-sqlite3's Database, node:sqlite's DatabaseSync. */
interface Database {
  loadExtension(path: string): unknown;
}

/** The module's path, for any library that loads extensions. */
export declare function getLoadablePath(): string;
/** The path of a script in SQL: getScriptPath('audit') is that of audit.sql. */
export declare function getScriptPath(name: string): string;
/** Loads the module into a database. */
export declare function load(db: Database): void;
