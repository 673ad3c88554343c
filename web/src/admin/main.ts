import { mountPage } from '../lib/browser/mountPage';
import './admin.css';
import App from './App.svelte';

mountPage(App);
