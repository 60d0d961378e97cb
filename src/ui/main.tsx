// Starts the page. Nothing here knows what a route shows.

import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import './theme.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(<App />);
