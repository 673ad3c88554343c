import { mountPage } from '../lib/browser/mountPage';
import App from './App.svelte';

mountPage(App);
