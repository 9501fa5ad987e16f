import { part } from './part.mjs';

tell('webview module', part);
